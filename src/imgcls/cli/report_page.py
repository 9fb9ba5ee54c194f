"""`--report` and `--show` of evaluate and audit: a page beside the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from imgcls.cli import viewer
from imgcls.cli.options import bundle
from imgcls.core.errors import UsageError
from imgcls.core.output_file import check_output, write_file


def options(contents: str) -> Callable[[Any], Any]:
    """Return the two options; `contents` is what the page shows."""
    return bundle(
        click.option("--report", metavar="FILE.html", help=f"Write a page too: {contents}."),
        viewer.option("the page"),
    )


class ReportPage:
    """The page, if there is to be one."""

    def __init__(self, path: str | None, shown: bool, is_own: Callable[[bytes], bool]) -> None:
        """Take the options.

        Args:
            path: as `--report`.
            shown: as `--show`.
            is_own: whether a file's first bytes are an earlier page's.

        Raises:
            UsageError: there is nothing to show.
            OutputError: the file must not or cannot be written.
        """
        self._path, self._shown = path, shown
        if path is not None:
            check_output(path, is_own)
        elif shown:
            raise UsageError("`show` opens what `report` FILE.html writes; add it")

    def write(self, pieces: Callable[[], Iterable[str]]) -> None:
        """Write what `pieces` makes; nothing is made where there is to be no page."""
        if self._path is not None:
            write_file(self._path, pieces())

    def show(self) -> None:
        """Open the page, if that is wished."""
        if self._path is not None and self._shown:
            viewer.show(self._path)
