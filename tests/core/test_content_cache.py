"""What is kept of images: got as it was put, or not at all; the run goes on in any case."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from imgcls.core.cache_clearing import clear_cache
from imgcls.core.content_cache import ContentCache, open_content_cache

ROWS = {f"{number:064x}": bytes([number]) * 40 for number in range(3)}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def kept(name: str = "test") -> Path:
    """Keep some rows; return the file."""
    with open_content_cache(name) as store:
        store.put(ROWS.items())
    return store.path


def test_what_is_put_is_got_by_another_run() -> None:
    with open_content_cache("test") as store:
        store.put((f"{i:064d}", bytes([i % 256])) for i in range(1200))
    with open_content_cache("test") as store:
        found = store.get([f"{i:064d}" for i in range(-1, 1201)])
    assert len(found) == 1200
    assert found[f"{300:064d}"] == bytes([44])


@pytest.mark.parametrize("content", [b"no database" * 500, b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_file_is_made_anew(content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path = kept()
    path.write_bytes(content)
    with open_content_cache("test") as store:
        assert store.get([*ROWS]) == {}
        store.put(ROWS.items())
        assert store.get([*ROWS]) == ROWS
    (message,) = caplog.messages
    assert message.startswith(f"{path}: damaged (")
    assert message.endswith("; it is made anew")


def test_a_flipped_bit_never_changes_what_is_got() -> None:
    """A sample of the bits that say something: right rows come, or none."""
    path = kept()
    whole = path.read_bytes()
    for bit in range(0, 8 * len(whole), 53):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        if not any(whole[max(0, bit // 8 - 8) : bit // 8 + 8]):
            continue  # nothing is there
        path.write_bytes(damaged)
        with open_content_cache("test") as store:
            assert store.get([*ROWS]).items() <= ROWS.items()
            store.put(ROWS.items())
            assert store.get([*ROWS]).items() <= ROWS.items()
        for file in path.parent.iterdir():
            file.unlink()


@pytest.mark.parametrize("change", ["content = x'00'", "content = NULL", "checksum = 'a'"])
def test_a_changed_row_is_not_got(change: str, caplog: pytest.LogCaptureFixture) -> None:
    path = kept()
    first, *others = ROWS
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE content SET {change} WHERE digest = ?", [first])
    connection.close()
    with open_content_cache("test") as store:
        assert store.get([*ROWS]) == {digest: ROWS[digest] for digest in others}
        store.put(ROWS.items())
        assert store.get([*ROWS]) == ROWS
    assert caplog.messages == [f"{path}: a row is damaged; it is made anew"]


def test_a_locked_file_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    path = kept()
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    store = ContentCache("test", lock_timeout=0.01)
    assert store.get([*ROWS]) == {}
    store.put([("0", b"")])
    store.close()
    other.close()
    assert caplog.messages == [f"{path}: database is locked; this run goes on without it"]
    with open_content_cache("test") as again:
        assert again.get([*ROWS, "0"]) == ROWS


def test_a_cleared_cache_is_begun_anew(caplog: pytest.LogCaptureFixture) -> None:
    with open_content_cache("test") as store:
        store.put(ROWS.items())
        assert [item.name for item in clear_cache()] == ["content/"]
        store.put(ROWS.items())
        assert store.get([*ROWS]) == ROWS
    assert caplog.messages == []


def test_a_bit_that_makes_the_file_read_only_is_damage(caplog: pytest.LogCaptureFixture) -> None:
    path = kept()
    content = bytearray(path.read_bytes())
    content[18] = 3  # the version of SQLite that may write it
    path.write_bytes(content)
    for _ in range(2):
        with open_content_cache("test") as store:
            store.put(ROWS.items())
            assert store.get([*ROWS]) == ROWS
    assert len(caplog.messages) == 1


@pytest.mark.posix
@pytest.mark.parametrize("ending", ["", "-journal", "-wal"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_replaced(
    ending: str, make: object, caplog: pytest.LogCaptureFixture
) -> None:
    path = kept()
    place = path.with_name(path.name + ending)
    place.unlink(missing_ok=True)
    make(place)  # type: ignore[operator]
    with open_content_cache("test") as store:
        store.put(ROWS.items())
        assert store.get([*ROWS]) == ROWS
    assert caplog.messages == [f"{place}: damaged; it is made anew"]


def test_a_file_in_place_of_the_folder_is_replaced(
    own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own_cache.mkdir()
    (own_cache / "content").touch()
    kept()
    assert caplog.messages == [f"{own_cache / 'content'}: damaged; it is made anew"]


def test_what_was_taken_is_kept_even_if_the_rest_is_not_wanted() -> None:
    numbers = iter(range(400))

    def row(number: int) -> tuple[str, bytes] | None:
        return None if number % 2 else (f"{number:064d}", b"%d" % number)

    with open_content_cache("test") as store:
        for number in store.keeping(numbers, row):
            if number == 300:
                break
        digests = [f"{number:064d}" for number in range(400)]
        found = sorted(map(int, store.get(digests).values()))
        assert found == [*range(0, 301, 2)]
    assert next(numbers) == 301
