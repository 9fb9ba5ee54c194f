"""The cache folder: hashes that check themselves, locks, and whatever else stands in its place."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgcls.core.cache import cache_lock, cache_part, content_id
from imgcls.core.cache_clearing import clear_cache, compiled_lock
from imgcls.core.errors import OutputError


def make_folder(path: Path) -> None:
    (path / "within").mkdir(parents=True)


def make_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


STRANGERS = [os.mkfifo, make_folder, make_link] if os.name == "posix" else [make_folder]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.h5"
    path.write_bytes(b"weights")
    os.utime(path, (1e9, 1e9))  # what changed just now is not remembered
    return path


DIGEST = hashlib.sha256(b"weights").hexdigest()


def remembered(own_cache: Path) -> Path:
    (file,) = (own_cache / "hashes").iterdir()
    return file


def test_a_hash_is_remembered(own_cache: Path, weights: Path) -> None:
    assert content_id(weights) == DIGEST
    weights.write_bytes(b"changed")
    os.utime(weights, (1e9, 1e9))
    assert content_id(weights) == DIGEST  # by name, size and time it is the same
    assert content_id(weights, fresh=True) == hashlib.sha256(b"changed").hexdigest()
    assert content_id(weights) == hashlib.sha256(b"changed").hexdigest()


def test_a_file_of_this_moment_is_not_remembered(own_cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.h5"
    path.write_bytes(b"new")
    content_id(path)
    assert not (own_cache / "hashes").exists()


def test_no_flipped_bit_changes_a_hash(
    own_cache: Path, weights: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content_id(weights)
    file = remembered(own_cache)
    whole = file.read_bytes()
    for bit in range(0, 8 * len(whole), 11):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        assert content_id(weights) == DIGEST
        assert file.read_bytes() == whole
    assert set(caplog.messages) == {f"{file}: damaged; it is made anew"}


@given(st.binary(max_size=200))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_content_of_a_remembered_hash_is_trusted(
    own_cache: Path, weights: Path, content: bytes
) -> None:
    content_id(weights)
    remembered(own_cache).write_bytes(content)
    assert content_id(weights) == DIGEST


@pytest.mark.parametrize("make", STRANGERS)
@pytest.mark.parametrize("place", ["hashes", "entry", "compiled", "locks", "lock"])
def test_what_is_none_of_ours_is_replaced_with_one_warning(
    own_cache: Path,
    weights: Path,
    make: Callable[[Path], None],
    place: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    content_id(weights)
    with cache_lock("x"):
        pass
    cache_part("compiled")
    names = {"entry": remembered(own_cache), "lock": own_cache / "locks" / "x.lock"}
    path = names.get(place, own_cache / place)
    if make is make_folder and place in ("hashes", "compiled", "locks"):
        pytest.skip("is a folder")
    if path.is_dir():
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    else:
        path.unlink()
    make(path)
    assert content_id(weights) == DIGEST
    with cache_lock("x") as held:
        assert held
    assert cache_part("compiled").is_dir()
    content_id(weights)
    assert caplog.messages == [f"{path}: damaged; it is made anew"]


def test_a_full_disk_costs_only_time(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OutputError("no space left")

    monkeypatch.setattr("imgcls.core.cache.write_atomically", full)
    assert content_id(weights) == DIGEST
    assert content_id(weights) == DIGEST


def test_a_lock_is_held_by_one(own_cache: Path) -> None:
    with cache_lock("weights.v2.h5") as first, cache_lock("weights.v2.h5", wait=False) as second:
        assert (first, second) == (True, False)
        assert list(clear_cache()) == []
        with cache_lock("weights.v2.h5", wait=False) as third:
            assert not third


@pytest.mark.parametrize(
    "name",
    ["a-float32-0123456789abcdef", ".a-float32-0123456789abcdef.4711.tmp", "a-float32"],
)
def test_a_compiled_model_and_one_being_made_share_a_lock(name: str) -> None:
    assert compiled_lock(name) == "compiled-a-float32"


def test_six_at_once_clear_the_cache(own_cache: Path) -> None:
    for number in range(40):
        folder = cache_part("compiled") / f"vgg16-float32-{number:016x}"
        folder.mkdir()
        (folder / "model.tflite").write_bytes(bytes(1000))
        (cache_part("hashes") / f"{number:064x}").write_bytes(b"x")
    code = "from imgcls.core.cache_clearing import clear_cache as clear; print(len(list(clear())))"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(6)
    ]
    counts = [int(process.communicate(timeout=60)[0]) for process in started]
    assert sum(counts) == 41  # the hashes count as one
    left = [path for path in own_cache.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert left == []
