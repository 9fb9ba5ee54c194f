"""A page with its thumbnails as files: what is written, replaced, kept and refused."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from imgcls.cli.report_folder import ReportFolder, chosen
from imgcls.core.errors import OutputError, UsageError

Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


def jpeg(color: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def report(tmp_path: Path) -> ReportFolder:
    folder = ReportFolder(str(tmp_path / "report"))
    folder.begin([])
    return folder


def test_a_thumbnail_is_called_by_what_it_shows(report: ReportFolder) -> None:
    red, green = report.keep(jpeg("red")), report.keep(jpeg("green"))
    assert report.keep(jpeg("red")) == red != green
    assert re.fullmatch(r"thumbnails/[0-9a-f]{32}\.jpg", red)
    assert Path(report.path, red).read_bytes() == jpeg("red")


def test_a_thumbnail_that_was_cut_off_is_written_again(report: ReportFolder) -> None:
    address = report.keep(jpeg("red"))
    Path(report.path, address).write_bytes(b"\xff\xd8")
    report.keep(jpeg("red"))
    assert Path(report.path, address).read_bytes() == jpeg("red")


def test_only_thumbnails_that_no_page_shows_go(report: ReportFolder) -> None:
    old = report.keep(jpeg("red"))
    (Path(report.path) / "thumbnails" / "mine.jpg").write_bytes(b"mine")
    again = ReportFolder(report.path)
    new = again.keep(jpeg("green"))
    assert Path(report.path, old).exists()  # the page of the earlier run is still there
    again.tidy()
    left = {path.name for path in Path(report.path, "thumbnails").iterdir()}
    assert left == {Path(new).name, "mine.jpg"}


def test_a_full_disk_is_an_error_in_words(report: ReportFolder) -> None:
    Path(report.path, "thumbnails").rmdir()
    with pytest.raises(OutputError, match=r"\.jpg: cannot be written: No such file or directory"):
        report.keep(jpeg("red"))


def test_what_is_no_report_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="file: is a file; name a folder for the report"):
        ReportFolder(str(tmp_path / "file"))
    with pytest.raises(OutputError, match="has files that are no report; name a new folder"):
        ReportFolder(str(tmp_path)).begin([])
    with pytest.raises(OutputError, match="cannot be made"):
        ReportFolder(str(tmp_path / "file" / "report")).begin([])


def test_an_interrupted_report_is_gone_over_again(report: ReportFolder) -> None:
    address = report.keep(jpeg("red"))
    again = ReportFolder(report.path)
    again.begin([])
    assert again.keep(jpeg("red")) == address


def test_a_report_does_not_lie_in_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(UsageError, match=r"lies in .*photos, which is read"):
        ReportFolder(str(tmp_path / "photos" / "report")).begin([str(tmp_path / "photos")])
    ReportFolder(str(tmp_path / "photos2")).begin([str(tmp_path / "photos")])


@pytest.mark.parametrize(
    ("output", "format_name", "message"),
    [
        ("p.html", None, "`report_dir` and `out` both say where the page goes"),
        (None, "csv", "`report_dir` writes a page; leave out --format csv"),
    ],
)
def test_options_that_contradict_it(
    output: str | None, format_name: str | None, message: str
) -> None:
    assert chosen(None, output, format_name) is None
    with pytest.raises(UsageError, match=message):
        chosen("report", output, format_name)


def test_predict_writes_it(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    done = imgcls("predict", samples, "--report-dir", "report")
    assert (done.returncode, done.stdout) == (0, "")
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    named = re.findall(r'<img src="([^"]+)"', page)
    assert len(named) == 5 and all((tmp_path / "report" / name).is_file() for name in named)
    assert len(page) < 40_000
    done = imgcls("predict", samples / "cat.jpg", "--report-dir", "report")
    assert done.returncode == 1 and "has results of other inputs" in done.stderr
    done = imgcls("predict", samples / "cat.jpg", "--report-dir", "report", "--force")
    assert done.returncode == 0
    assert len(list((tmp_path / "report" / "thumbnails").iterdir())) == 1
