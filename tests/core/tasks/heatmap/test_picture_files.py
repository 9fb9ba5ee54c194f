from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.core.errors import OutputError
from imgcls.core.pixels.formats import is_earlier_drawing
from imgcls.core.tasks.heatmap.picture_files import (
    FORMATS,
    is_heatmap,
    is_map,
    not_ours,
    save_map,
    save_picture,
)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_picture_is_known_as_ours(ending: str, tmp_path: Path) -> None:
    path = str(tmp_path / f"why{ending}")
    assert not_ours(path) is None
    save_picture(Image.new("RGB", (4, 3), "red"), path)
    assert is_heatmap(path) and not_ours(path) is None
    Image.new("RGB", (4, 3), "red").save(path)
    assert not is_heatmap(path)
    assert not_ours(path) == "exists and is not an earlier heatmap; name another output"


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n"])
def test_other_files_are_not_ours(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "why.png"
    path.write_bytes(content)
    assert not is_heatmap(str(path)) and not is_map(str(path))


def test_a_map_is_known(tmp_path: Path) -> None:
    save_map(np.zeros((3, 4), np.float32), str(tmp_path / "a.npy"))
    np.save(tmp_path / "b.npy", np.zeros(3))
    assert is_map(str(tmp_path / "a.npy"))
    assert not is_map(str(tmp_path / "b.npy"))
    assert not is_map(str(tmp_path / "none.npy"))


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tiff"])
def test_a_picture_for_print_says_its_dots_an_inch(ending: str, tmp_path: Path) -> None:
    picture = Image.new("RGB", (4, 3), "red")
    picture.info["dpi"] = (300, 300)
    save_picture(picture, str(tmp_path / f"why{ending}"))
    with Image.open(tmp_path / f"why{ending}") as written:
        assert tuple(map(round, written.info["dpi"])) == (300, 300)


@pytest.mark.parametrize(("ending", "side"), [(".webp", 16_400), (".jpg", 65_600)])
def test_a_picture_too_large_for_its_format_is_an_error(
    ending: str, side: int, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        save_picture(Image.new("RGB", (side, 1)), str(tmp_path / f"why{ending}"))
    assert list(tmp_path.iterdir()) == []


def test_the_first_bytes_of_a_png_say_whose_it_is(tmp_path: Path) -> None:
    save_picture(Image.new("RGB", (4, 3), "red"), str(tmp_path / "why.png"))
    start = (tmp_path / "why.png").read_bytes()
    assert start[12:16] == b"IHDR"
    assert start[37:].startswith(b"tEXtSoftware\0imgcls heatmap")


@pytest.mark.parametrize("side", [4, 2000])
@pytest.mark.parametrize("ending", FORMATS)
def test_a_folder_walk_knows_a_heatmap_of_every_format(
    ending: str, side: int, tmp_path: Path
) -> None:
    path = str(tmp_path / f"mine{ending}")
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(noise).save(path)
    assert not is_earlier_drawing(path)
    save_picture(Image.fromarray(noise), path)
    assert is_earlier_drawing(path)
