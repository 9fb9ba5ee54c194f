"""What is cleared from a cache folder, what is counted, and what is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.cache import cache_lock
from imgcls.core.cache_clearing import Freed, clear_cache, compiled_lock

KEY = "0123456789abcdef"


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fill(folder: Path, **files: int) -> Path:
    folder.mkdir(parents=True)
    for name, size in files.items():
        (folder / name).write_bytes(bytes(size))
    return folder


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        (f"vgg16-float32-{KEY}", "compiled-vgg16-float32"),
        (f".vgg16-float32-{KEY}.4711-ab.tmp", "compiled-vgg16-float32"),
        (f".vgg16-float32-{KEY}.lock", "compiled-vgg16-float32"),
        (f"my-net-{KEY}-int8-{KEY}", f"compiled-my-net-{KEY}-int8"),
        ("vgg16-float32-0123", "compiled-vgg16-float32-0123"),
        (f"vgg16-float32-{KEY.upper()}", f"compiled-vgg16-float32-{KEY.upper()}"),
        (".hidden", "compiled-hidden"),
    ],
)
def test_a_model_and_what_is_being_made_of_it_have_one_lock(name: str, lock: str) -> None:
    assert compiled_lock(name) == lock


def test_a_folder_of_small_files_is_one_thing(own_cache: Path) -> None:
    fill(own_cache / "content", a=10, b=5)
    fill(own_cache / "memo", c=7)
    fill(own_cache / "hashes", d=0)
    fill(own_cache / "compiled" / f"vgg16-int8-{KEY}", model=100, facts=11)
    assert list(clear_cache()) == [
        Freed(f"compiled/vgg16-int8-{KEY}", 111),
        Freed("content/", 15),
        Freed("memo/", 7),
    ]
    assert [path for path in own_cache.rglob("*") if path.is_file() and path.stat().st_size] == []
    assert list(clear_cache()) == []


def test_nothing_else_is_touched(own_cache: Path) -> None:
    fill(own_cache / "photos", content=3)
    (own_cache / "content.jpg").write_bytes(b"pixels")
    assert list(clear_cache()) == []
    assert (own_cache / "content.jpg").read_bytes() == b"pixels"
    assert (own_cache / "photos" / "content").is_file()


def test_locks_stay_but_for_those_of_an_older_version(own_cache: Path) -> None:
    fill(own_cache / "locks", **{".old": 0, "new.lock": 0})
    assert list(clear_cache()) == []
    assert sorted(path.name for path in (own_cache / "locks").iterdir()) == [
        *("clear-cache.lock", "new.lock"),
    ]


def test_what_is_being_made_stays_and_the_rest_goes(own_cache: Path) -> None:
    making = fill(own_cache / "compiled" / f".vgg16-int8-{KEY}.4711-ab.tmp", model=9)
    fill(own_cache / "compiled" / f"resnet50-int8-{KEY}", model=4)
    with cache_lock(compiled_lock(making.name)):
        assert list(clear_cache()) == [Freed(f"compiled/resnet50-int8-{KEY}", 4)]
    assert (making / "model").is_file()


@pytest.mark.posix
def test_a_link_goes_and_what_it_leads_to_stays(own_cache: Path, tmp_path: Path) -> None:
    photos = fill(tmp_path / "photos", a=1000)
    (own_cache / "compiled").mkdir(parents=True)
    (own_cache / "compiled" / f"vgg16-int8-{KEY}").symlink_to(photos)
    (own_cache / "content").mkdir()
    (own_cache / "content" / "x").symlink_to(photos / "a")
    (own_cache / "content" / "y").symlink_to(photos)
    freed = {item.name: item.size for item in clear_cache()}
    assert 0 < freed["content/"] < 1000  # the links' own
    assert all(size < 1000 for size in freed.values())
    assert (photos / "a").stat().st_size == 1000
    assert list((own_cache / "compiled").iterdir()) == list((own_cache / "content").iterdir()) == []
