"""`imgcls predict --draw` and `--show`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import click

from imgcls.cli import viewer
from imgcls.cli.console import Console
from imgcls.cli.destination import Destination
from imgcls.cli.options import bundle
from imgcls.core.engines.model import Model
from imgcls.core.errors import UsageError
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.classify import Record, classify_sources
from imgcls.core.tasks.classify.options import ClassifyOptions
from imgcls.core.words import counted

log = logging.getLogger("imgcls")

options = bundle(
    click.option(
        "--draw",
        metavar="DIR",
        help="Write each image, with its label and score in it, into DIR.",
    ),
    viewer.option("what --draw wrote, or the page of -o FILE.html,"),
)


class Drawings:
    """What `--draw` and `--show` do beside the records.

    Attributes:
        failed: how many images could not be drawn, though they have a prediction.
    """

    def __init__(self, folder: str | None, shown: bool, to: Destination) -> None:
        """Take the options.

        Args:
            folder: as `--draw`.
            shown: as `--show`.
            to: where the predictions go.

        Raises:
            UsageError: they contradict each other, or the folder is a file.
        """
        self._folder, self._shown, self._page = folder, shown, to.page
        self._result = viewer.Result(folder, shown)
        self.failed = 0
        if folder is not None:
            from imgcls.core.tasks.heatmap.drawn_photos import check_folder

            if to.sort.dry_run:
                raise UsageError("`dry_run` writes nothing; leave out `draw`")
            check_folder(folder)
        elif shown and self._page is None:
            raise UsageError("`show` opens what `draw` DIR or `out` FILE.html writes; add one")

    def records(
        self, sources: Iterable[Source], model: Model, how: ClassifyOptions
    ) -> Iterator[Record]:
        """Yield a record for every source, in order, after its image was drawn if it is to be."""
        if self._folder is None:
            yield from classify_sources(sources, model, how)
            return
        from imgcls.core.tasks.heatmap.drawn_photos import draw_sources

        for photo in self._result.note(draw_sources(sources, self._folder, model, how)):
            if photo.error is not None:
                self.failed += 1
                log.warning("%s: not drawn: %s", photo.record.path, photo.error)
            yield photo.record

    def close(self, console: Console) -> None:
        """Say where the drawings are, and show what is to be shown."""
        if self._folder is not None:
            console.say(f"drew {counted(self._result.count, 'image')} into {self._folder}")
        if self._shown and self._page is not None:
            viewer.show(self._page)
        else:
            self._result.show()
