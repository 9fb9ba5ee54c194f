"""Each image's heatmap has a file of its own, and the same one each time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from imgcls.core.errors import OutputError, UsageError
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.heatmap.output_names import name_outputs
from imgcls.core.tasks.heatmap.picture_files import save_picture


def names(sources: list[Source], out: str | os.PathLike[str]) -> list[str]:
    pairs = list(name_outputs(sources, os.fspath(out)))
    assert [source for source, _ in pairs] == sources
    return [os.path.relpath(name, out) for _, name in pairs]


def test_one_image_goes_to_the_file_that_is_named(tmp_path: Path) -> None:
    out = str(tmp_path / "why.JPG")
    assert list(name_outputs([Source("cat.jpg")], out)) == [(Source("cat.jpg"), out)]


def test_a_folder_mirrors_what_was_walked(tmp_path: Path) -> None:
    walked = [Source("in/a.jpg", root="in"), Source("in/deep/b.png", root="in")]
    assert names(walked, tmp_path) == ["a.heatmap.png", "deep/b.heatmap.png"]
    assert names([Source("far/away/c.jpg")], tmp_path) == ["c.heatmap.png"]


def test_no_two_have_one_name(tmp_path: Path) -> None:
    sources = [Source("x/a.jpg"), Source("y/A.png"), Source("z/A.png"), Source("z/A.png")]
    assert names(sources, tmp_path) == [
        "a.heatmap.png",
        "A.png.heatmap.png",
        "A.png.2.heatmap.png",
        "A.png.3.heatmap.png",
    ]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.org/cat.jpg?x=1", "cat.heatmap.png"),
        ("https://a.org/..%2F..%2Fcat%0A.jpg", "cat.heatmap.png"),
        ("https://a.org/", "image.heatmap.png"),
    ],
)
def test_what_comes_from_the_network_cannot_choose_a_folder(
    url: str, name: str, tmp_path: Path
) -> None:
    assert names([Source(url, "url")], tmp_path) == [name]


def test_standard_input_has_a_name(tmp_path: Path) -> None:
    assert names([Source("-", "stdin")], tmp_path) == ["stdin.heatmap.png"]


@pytest.mark.parametrize("out", ["why.gif", "why.xlsx", "why.txt", "why.jp2"])
def test_a_file_of_another_kind_is_refused(out: str) -> None:
    with pytest.raises(UsageError, match=f"{out}: heatmaps are written as .png, .jpg"):
        name_outputs([Source("cat.jpg")], out)


@pytest.mark.parametrize("sources", [["a.jpg", "b.jpg"], ["in/a.jpg"]])
def test_one_file_for_several_images_is_refused(sources: list[str]) -> None:
    walked = [Source(name, root=os.path.dirname(name)) for name in sources]
    with pytest.raises(UsageError, match=r"one\.png: is one file"):
        name_outputs(walked, "one.png")


@pytest.mark.parametrize("name", ["run.2", "photos.v2", "plain", "run.jpg/"])
def test_a_folder_may_have_a_dot_in_its_name(name: str) -> None:
    ((_, output),) = name_outputs([Source("cat.jpg")], name)
    assert output == os.path.join(name, "cat.heatmap.png")


def test_a_folder_that_is_there_is_one_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    assert names([Source("cat.jpg")], tmp_path / "a.png") == ["cat.heatmap.png"]


def test_other_files_are_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(OutputError, match="no such folder; make it first"):
        list(name_outputs([Source("cat.jpg")], str(tmp_path / "gone" / "a.png")))
    Image.new("RGB", (4, 3)).save(path)
    with pytest.raises(OutputError, match="exists and is not an earlier heatmap"):
        list(name_outputs([Source("cat.jpg")], str(path)))
    save_picture(Image.new("RGB", (4, 3)), str(path))
    assert len(list(name_outputs([Source("cat.jpg")], str(path)))) == 1
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="is a file; name a folder"):
        name_outputs([Source("cat.jpg")], str(tmp_path / "file"))


def test_no_output_at_all() -> None:
    with pytest.raises(UsageError, match="no output; name a file or a folder with `out`"):
        name_outputs([Source("cat.jpg")], None)
