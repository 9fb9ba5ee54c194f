"""`--show` opens the one file, or the folder of several, and never fails a run."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from imgcls.cli.viewer import Result, show
from tests.conftest import Imgcls


@dataclass
class Wrote:
    output: str | None


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an xdg-open in front that notes what it is told to open; return its note."""
    note, folder = tmp_path / "opened", tmp_path / "bin"
    folder.mkdir()
    opener = folder / "xdg-open"
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {note}\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return note


def noted(result: Result, *outputs: str | None) -> Result:
    list(result.note(map(Wrote, outputs)))
    return result


@pytest.mark.linux
def test_one_file_is_opened_itself(opened: Path) -> None:
    noted(Result("out", shown=True), None, "out/a.png").show()
    assert opened.read_text() == os.path.abspath("out/a.png")


@pytest.mark.linux
def test_of_several_the_folder_is_opened(opened: Path) -> None:
    noted(Result("-out", shown=True), "-out/a.png", "-out/b.png").show()
    assert opened.read_text() == os.path.abspath("-out")


@pytest.mark.linux
def test_nothing_is_opened_where_nothing_was_written_or_it_is_not_wished(opened: Path) -> None:
    noted(Result("out", shown=True), None).show()
    noted(Result("out", shown=False), "out/a.png").show()
    assert not opened.exists()


@pytest.mark.linux
def test_a_viewer_that_fails_is_a_warning(
    opened: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (opened.parent / "bin" / "xdg-open").write_text("#!/bin/sh\nexit 3\n")
    with caplog.at_level(logging.WARNING, logger="imgcls"):
        show("page.html")
        monkeypatch.setenv("PATH", "")
        show("page.html")
    assert [record.getMessage() for record in caplog.records] == [
        "page.html: cannot be shown: xdg-open found no program for it",
        "page.html: cannot be shown: there is no xdg-open here (Debian and Ubuntu: xdg-utils)",
    ]


@pytest.mark.linux
@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "result"),
    [
        (("heatmap", "-o", "why.png"), "why.png"),
        (("activations", "-o", "sheet.png", "--first", "1"), "sheet.png"),
        (("predict", "-o", "page.html"), "page.html"),
        (("predict", "--draw", "drawn"), "drawn/cat.predicted.jpg"),
    ],
)
def test_each_command_opens_what_it_wrote(
    imgcls: Imgcls, opened: Path, samples: Path, tmp_path: Path, command: list[str], result: str
) -> None:
    done = imgcls(*command, samples / "cat.jpg", "--show")
    assert done.returncode == 0, done.stderr
    assert opened.read_text() == str(tmp_path / result)
