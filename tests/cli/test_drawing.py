"""`predict --draw` and `--show`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from imgcls.cli.destination import Destination
from imgcls.cli.drawing import Drawings
from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.options import SortOptions
from tests.conftest import Imgcls


def to(output: str | None = None, **sort: Any) -> Destination:
    return Destination(output, None, False, False, SortOptions(**sort))


def test_what_contradicts_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`show` opens what `draw` DIR or "):
        Drawings(None, True, to("a.jsonl"))
    with pytest.raises(UsageError, match="`dry_run` writes nothing; leave out `draw`"):
        Drawings("out", False, to(sort_into="sorted", dry_run=True))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file: is a file; name a folder for the drawings"):
        Drawings(str(tmp_path / "file"), False, to())
    Drawings(None, True, to("page.html"))


@pytest.mark.linux
def test_draw_and_show(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    opener = tmp_path / "bin" / "xdg-open"
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/opened\n')
    opener.chmod(0o755)
    env = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    photos = (samples / "cat.jpg", samples / "coffee.jpg", tmp_path / "none.jpg")
    done = imgcls("predict", *photos, "-k", "1", "--draw", "drawn", "--show", env=env)
    assert done.returncode == 3
    assert done.stdout == (
        f"{photos[0]}: tiger_cat (37.45%)\n"
        f"{photos[1]}: espresso (95.36%)\n"
        f"{photos[2]}: error: no such file\n"
    )
    assert done.stderr.splitlines()[-1] == "drew 2 images into drawn"
    assert sorted(os.listdir(tmp_path / "drawn")) == ["cat.predicted.jpg", "coffee.predicted.jpg"]
    assert (tmp_path / "opened").read_text() == str(tmp_path / "drawn")


@pytest.mark.slow
def test_what_was_drawn_is_not_drawn_again_by_resume(
    imgcls: Imgcls, samples: Path, tmp_path: Path
) -> None:
    draw = ("--draw", "drawn", "-o", "all.jsonl", "--resume")
    first = imgcls("predict", samples / "cat.jpg", *draw)
    assert (first.returncode, first.stderr.splitlines()[-1]) == (0, "drew 1 image into drawn")
    drawn = (tmp_path / "drawn" / "cat.predicted.jpg").stat().st_mtime_ns
    again = imgcls("predict", samples / "cat.jpg", samples / "coffee.jpg", *draw)
    assert again.returncode == 0, again.stderr
    assert again.stderr.splitlines()[-1] == "drew 1 image into drawn"
    assert (tmp_path / "drawn" / "cat.predicted.jpg").stat().st_mtime_ns == drawn
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 2
