"""A disk and a store do the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.errors import OutputError
from imgcls.core.tasks.cluster.places import DiskPlace, Place, StorePlace, place_of


def check(place: Place) -> None:
    assert (place.sizes(), place.sizes("_job")) == ({}, {})
    assert (place.read("a"), place.size("a")) == (None, None)
    place.write("a", b"abc")
    place.write("_job/b", b"")
    place.write("a", b"abcd")
    assert place.sizes()["a"] == 4 and place.sizes("_job") == {"b": 0}
    assert (place.read("a"), place.size("a")) == (b"abcd", 4)
    place.remove("a")
    place.remove("a")
    assert list(place.sizes()) == ["_job"]


def test_a_disk(tmp_path: Path) -> None:
    place = place_of(str(tmp_path / "new" / "out"))
    assert isinstance(place, DiskPlace)
    check(place)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"file: cannot be read: Not a directory"):
        place_of(str(tmp_path / "file")).sizes()
    with pytest.raises(OutputError, match=r"file: cannot be made: "):
        place_of(str(tmp_path / "file")).write("_job/a", b"")


@pytest.mark.slow
def test_a_store(bucket: str) -> None:
    place = place_of(f"{bucket}/out/")
    assert isinstance(place, StorePlace)
    check(place)
    with pytest.raises(OutputError, match=r"no-such-bucket.*: cannot be written: no such bucket"):
        place_of(f"{bucket[:5]}no-such-bucket-of-ours/out").write("a", b"")
