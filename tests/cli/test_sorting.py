"""What `--sort-into` and `--undo` say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imgcls.cli.sorting import plan, reported, take_back
from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.sorting import Sorter
from tests.core.tasks.classify.sorted_photos import LABELS, failed, make, ok, sort


class Said:
    """A console that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


@pytest.fixture
def console() -> Any:
    return Said()


def manifest(tmp_path: Path, *names: str, mode: Any = "move") -> str:
    """Sort photos; return the path of the manifest."""
    photos = make(tmp_path / "in", *names)
    sorter = sort(tmp_path / "out", mode, map(ok, photos))
    assert sorter.manifest is not None
    return sorter.manifest


def test_a_plan_is_a_line_an_image(tmp_path: Path) -> None:
    good, bad = make(tmp_path / "in", "a.jpg", "b.jpg")
    sorter = Sorter(str(tmp_path / "out"), LABELS, "copy")
    assert list(plan(sorter, [ok(good), failed(bad)])) == [
        f"{good} -> {tmp_path / 'out' / 'cat' / 'a.jpg'}\n",
        f"{bad} -> {tmp_path / 'out' / 'errors' / 'b.jpg'}\n",
    ]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("names", "images"), [(["a.jpg"], "1 image"), (["a.jpg", "b.jpg"], "2 images")]
)
def test_how_to_undo_is_said_also_where_the_run_fails(
    tmp_path: Path, console: Said, names: list[str], images: str
) -> None:
    sorter = sort(tmp_path / "out", "copy", map(ok, make(tmp_path / "in", *names)))
    with pytest.raises(KeyboardInterrupt), reported(console, sorter):  # type: ignore[arg-type]
        raise KeyboardInterrupt
    folder = Path(str(sorter.manifest)).parent
    assert console.lines == [f"sorted {images} into {folder}; to undo: --undo {sorter.manifest}"]


def test_where_nothing_was_sorted_nothing_is_said(tmp_path: Path, console: Said) -> None:
    for sorter in (None, Sorter(str(tmp_path / "out"), LABELS, "copy")):
        with reported(console, sorter):  # type: ignore[arg-type]
            pass
    assert console.lines == []


def test_undo_says_what_goes_back_and_what_is_removed(
    tmp_path: Path, console: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = manifest(tmp_path, "a.jpg")
    target = tmp_path / "out" / "cat" / "a.jpg"
    assert take_back(console, moved, dry_run=True, others=False) == 0
    assert target.is_file()
    assert take_back(console, moved, dry_run=False, others=False) == 0
    assert capsys.readouterr().out == f"{target} -> {tmp_path / 'in' / 'a.jpg'}\n" * 2
    copied = manifest(tmp_path, "b.jpg", mode="copy")
    assert take_back(console, copied, dry_run=False, others=False) == 0
    assert capsys.readouterr().out == f"{target.with_name('b.jpg')}: removed\n"


def test_what_stays_is_an_error_and_the_exit_code_says_so(
    tmp_path: Path, console: Said, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = manifest(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "in" / "a.jpg").write_bytes(b"another")
    assert take_back(console, moved, dry_run=False, others=False) == 3  # type: ignore[arg-type]
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(f"b.jpg -> {tmp_path / 'in' / 'b.jpg'}")
    assert f"{tmp_path / 'out' / 'cat' / 'a.jpg'}: error: " in second
    assert "2 files in" in console.lines[0] and console.lines[0].endswith(", 1 failed")


def test_a_second_undo_has_nothing_to_take_back(
    tmp_path: Path, console: Said, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = manifest(tmp_path, "a.jpg")
    take_back(console, moved, dry_run=False, others=False)  # type: ignore[arg-type]
    capsys.readouterr()
    console.lines.clear()
    assert take_back(console, moved, dry_run=False, others=False) == 0  # type: ignore[arg-type]
    assert console.lines == [f"{moved}: nothing to take back"] and not capsys.readouterr().out


def test_undo_goes_alone(console: Any) -> None:
    with pytest.raises(UsageError) as raised:
        take_back(console, "gone.csv", dry_run=False, others=True)
    assert str(raised.value) == "--undo goes alone, without INPUT, --sort-into and --output"
