"""The photos that int8 is calibrated on: which are taken, how many are enough, what is said."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.core.engines.compiled.calibration import save_calibration
from imgcls.core.errors import UsageError
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network
from imgcls.core.pixels.source import Source

# The weights are not read.
NETWORK = Network(DEFAULT_MODEL, MODELS[DEFAULT_MODEL], Path("unused"))


@pytest.fixture
def photo(tmp_path: Path) -> Source:
    """Return a photo of one colour."""
    Image.new("RGB", (8, 8), (200, 100, 50)).save(tmp_path / "a.png")
    return Source(str(tmp_path / "a.png"))


def saved(folder: Path) -> np.ndarray:
    pixels: np.ndarray = np.load(folder / "calibration.npy", allow_pickle=False)
    return pixels


def test_photos_are_kept_as_they_enter_the_network(tmp_path: Path, photo: Source) -> None:
    assert not save_calibration(NETWORK, [photo, photo], tmp_path, keep=False)
    pixels = saved(tmp_path)
    assert (pixels.shape, pixels.dtype) == ((2, 224, 224, 3), np.uint8)
    assert (pixels == (200, 100, 50)).all()  # not yet scaled


def test_the_first_hundred_that_can_be_read(tmp_path: Path, photo: Source) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG")
    bad, taken = Source(str(tmp_path / "bad.png")), []

    def endless() -> Iterator[Source]:
        while True:
            taken.append(bad if len(taken) % 4 == 0 else photo)
            yield taken[-1]

    assert save_calibration(NETWORK, endless(), tmp_path, keep=True)
    assert len(saved(tmp_path)) == 100
    assert taken.count(photo) == 100 and taken[-1] is photo  # none is asked for after the last


def test_standard_input_is_left_for_its_own_record(
    tmp_path: Path, photo: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(photo.name, "rb") as file:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(file))
        save_calibration(NETWORK, [Source("-", "stdin"), photo], tmp_path, keep=False)
        assert file.tell() == 0
    assert len(saved(tmp_path)) == 1


@pytest.mark.parametrize(("count", "enough"), [(49, False), (50, True)])
def test_fifty_are_enough_to_be_kept(
    tmp_path: Path, photo: Source, count: int, enough: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "imgcls"):
        assert save_calibration(NETWORK, [photo] * count, tmp_path, keep=False) is enough
    (record,) = caplog.records
    assert record.levelname == ("INFO" if enough else "WARNING")
    assert record.getMessage() == (
        f"{DEFAULT_MODEL}: calibrating int8 on the first {count} images that can be read, "
        + (
            "once"
            if enough
            else f"for this run only; to have it for good, run imgcls models compile "
            f"{DEFAULT_MODEL} with `precision` int8 and `calibrate` a folder of 50 or more"
        )
    )


def test_one_photo_is_said_to_be_one(
    tmp_path: Path, photo: Source, caplog: pytest.LogCaptureFixture
) -> None:
    save_calibration(NETWORK, [photo], tmp_path, keep=False)
    assert "calibrating int8 on one image, for this run only;" in caplog.text


def test_few_are_refused_where_the_model_is_to_be_kept(tmp_path: Path, photo: Source) -> None:
    with pytest.raises(UsageError) as raised:
        save_calibration(NETWORK, [photo] * 49, tmp_path, keep=True)
    assert str(raised.value) == (
        f"{DEFAULT_MODEL}: int8 is kept if 50 photos or more calibrate it, and here are 49; name "
        "a folder with more"
    )
    assert not (tmp_path / "calibration.npy").exists()


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("sources", [None, [], [Source("-", "stdin")], [Source("missing.jpg")]])
def test_without_a_photo_there_is_nothing_to_do(
    tmp_path: Path, keep: bool, sources: list[Source] | None
) -> None:
    with pytest.raises(UsageError) as raised:
        save_calibration(NETWORK, sources, tmp_path, keep=keep)
    assert str(raised.value) == (
        f"{DEFAULT_MODEL}: no photo to calibrate int8 on; run imgcls models compile "
        f"{DEFAULT_MODEL} with `precision` int8 and `calibrate` a folder of photos"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_model_file_is_called_by_its_path(tmp_path: Path) -> None:
    mine = Network("described", NETWORK.spec, Path("mine.safetensors"), stored=True)
    with pytest.raises(UsageError, match=r"^mine\.safetensors: no photo .* compile mine\."):
        save_calibration(mine, None, tmp_path, keep=False)
