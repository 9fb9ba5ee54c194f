"""`imgcls predict --report-dir`: a page whose thumbnails are files of their own."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import click

from imgcls.core.errors import OutputError, UsageError
from imgcls.render.predictions import FORMATS, Format

PAGE = "index.html"
THUMBNAILS = "thumbnails"
_NAME = r"[0-9a-f]{32}\.jpg"

option = click.option(
    "--report-dir",
    metavar="DIR",
    help="Write a page as -f html does, with its thumbnails in files: for more than 1,500 images.",
)


class ReportFolder:
    """A folder with a page and its thumbnails.

    A thumbnail is called by what it shows, so the page of an earlier run stays whole until the
    next one takes its place; the thumbnails that no page shows any more then go.
    """

    def __init__(self, path: str) -> None:
        """Name the folder.

        Raises:
            UsageError: it is a file.
        """
        if os.path.lexists(path) and not os.path.isdir(path):
            raise UsageError(f"{path}: is a file; name a folder for the report")
        self.path = path
        self._kept: set[str] = set()

    @property
    def page(self) -> str:
        """The page's file."""
        return os.path.join(self.path, PAGE)

    @property
    def format(self) -> Format:
        """The page as a format, whose thumbnails come here."""
        from imgcls.render import predictions_page

        return FORMATS["html"]._replace(
            render=functools.partial(predictions_page.html, keep=self.keep)
        )

    def begin(self, inputs: Iterable[str]) -> None:
        """Make the folder where there is none.

        Args:
            inputs: as the user named them.

        Raises:
            UsageError: the folder lies in one of the inputs, so that the next run would take
                its thumbnails for photos.
            OutputError: it cannot be made, or has other files than an earlier report.
        """
        here = os.path.join(os.path.realpath(self.path), "")
        for name in filter(os.path.isdir, inputs):
            if here.startswith(os.path.join(os.path.realpath(name), "")):
                raise UsageError(f"{self.path}: lies in {name}, which is read; name another folder")
        try:
            others = set(os.listdir(self.path)) if os.path.isdir(self.path) else set()
            # A run that was interrupted has left thumbnails and no page.
            if PAGE not in others and others - {THUMBNAILS}:
                raise OutputError(f"{self.path}: has files that are no report; name a new folder")
            os.makedirs(os.path.join(self.path, THUMBNAILS), exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be made: {error.strerror}") from error

    def keep(self, jpeg: bytes) -> str:
        """Write a thumbnail and return its address as seen from the page.

        Raises:
            OutputError: it cannot be written.
        """
        name = hashlib.blake2b(jpeg, digest_size=16).hexdigest() + ".jpg"
        path = Path(self.path, THUMBNAILS, name)
        try:
            # Its name says what is in it, so of a write that was cut off only the size tells.
            if not path.is_file() or path.stat().st_size != len(jpeg):
                path.write_bytes(jpeg)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
        self._kept.add(name)
        return f"{THUMBNAILS}/{name}"

    def tidy(self) -> None:
        """Remove the thumbnails that only the page before had."""
        folder = Path(self.path, THUMBNAILS)
        for name in os.listdir(folder):
            if name not in self._kept and re.fullmatch(_NAME, name):
                (folder / name).unlink(missing_ok=True)


def chosen(path: str | None, output: str | None, format_name: str | None) -> ReportFolder | None:
    """Return the folder that the options name; None without one.

    Args:
        path: as `--report-dir`.
        output: as `--output`.
        format_name: as `--format`.

    Raises:
        UsageError: they contradict each other, or it is a file.
    """
    if path is None:
        return None
    if output is not None:
        raise UsageError("`report_dir` and `out` both say where the page goes; leave one out")
    if format_name not in (None, "html"):
        raise UsageError(f"`report_dir` writes a page; leave out --format {format_name}")
    return ReportFolder(path)
