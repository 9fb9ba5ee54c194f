"""What takes the records of `predict`: standard output, a file, one that grows, or a plan."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from imgcls.cli import sorting
from imgcls.cli.console import Console
from imgcls.cli.destination import Destination
from imgcls.cli.output import stdout_style, write_stdout
from imgcls.core.engines.engine import Precision
from imgcls.core.engines.model import Model
from imgcls.core.output_file import write_file
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.classify import Record, record_facts
from imgcls.core.tasks.classify.options import ClassifyOptions

if TYPE_CHECKING:  # the sorter and the growing file are loaded only where they are asked for
    from imgcls.core.tasks.classify.manifest import Placement
    from imgcls.core.tasks.classify.record_file import RecordFile
    from imgcls.core.tasks.classify.sorting import Sorter


class Sink(abc.ABC):
    """What takes the records.

    Attributes:
        destination: what the user wants.
        top: as `--top`.
        sorter: what puts the images into folders; None where they stay.
    """

    def __init__(self, destination: Destination, top: int, sorter: Sorter | None) -> None:
        self.destination, self.top, self.sorter = destination, top, sorter

    @property
    def skipped(self) -> int:
        """How many inputs have had their record before."""
        return 0

    @property
    def unsorted(self) -> int:
        """How many images could not be put into their folder."""
        return self.sorter.failed if self.sorter else 0

    def todo(self, sources: Iterator[Source]) -> Iterator[Source]:
        """Yield the sources whose records are still to be made."""
        return sources

    @abc.abstractmethod
    def write(self, records: Iterable[Record]) -> None:
        """Write the records as they come, each before its image is sorted.

        Raises:
            OutputError: they cannot be written.
        """

    def _sorted(self, records: Iterable[Record]) -> Iterable[Record]:
        return self.sorter.sort(records) if self.sorter else records


@contextlib.contextmanager
def open_sink(
    destination: Destination,
    model: Model,
    options: ClassifyOptions,
    precision: Precision,
    console: Console,
) -> Iterator[Sink]:
    """Open what takes the records; close it when the block ends, and say what was sorted.

    Args:
        destination: what the user wants.
        model: its labels name the folders to sort into.
        options: how the records are made.
        precision: as `--precision`.
        console: told what was sorted.

    Raises:
        OutputError: it cannot be written.
    """
    sort, sorter = destination.sort, None
    if sort.sort_into is not None:
        from imgcls.core.tasks.classify.sorting import Sorter

        mode = sort.sort_mode or "copy"
        sorter = Sorter(sort.sort_into, model.labels, mode, resume=destination.resume)
    with sorting.reported(console, sorter):
        if sort.dry_run:
            yield _Plan(destination, options.top, sorter)
        elif destination.output is not None and destination.grows:
            from imgcls.core.tasks.classify.record_file import RecordFile

            with RecordFile(
                destination.output,
                header=destination.format.header,
                options=record_facts(model, options, precision),
                resume=destination.resume,
                moved=sort.moves,
            ) as file:
                yield _Growing(destination, options.top, sorter, file)
        else:
            yield _Whole(destination, options.top, sorter)


class _Plan(Sink):
    """Where each image would go, on standard output."""

    def write(self, records: Iterable[Record]) -> None:
        assert self.sorter is not None
        write_stdout(sorting.plan(self.sorter, records))


class _Whole(Sink):
    """Standard output, or a file that is there when all records are."""

    def write(self, records: Iterable[Record]) -> None:
        output, pieces = self.destination.output, self.destination.format.pieces
        if output is None:
            write_stdout(pieces(self._sorted(records), self.top, stdout_style()))
        elif self.sorter is not None and self.destination.sort.moves:
            # No image is moved before the file is there that has its record.
            placements: list[Placement] = []
            write_file(output, pieces(self.sorter.note(records, placements), self.top))
            self.sorter.place(placements)
        else:
            write_file(output, pieces(self._sorted(records), self.top))
        if self.destination.report is not None:
            self.destination.report.tidy()


class _Growing(Sink):
    """A file that grows record by record."""

    def __init__(
        self, destination: Destination, top: int, sorter: Sorter | None, file: RecordFile
    ) -> None:
        super().__init__(destination, top, sorter)
        self.file = file

    @property
    def skipped(self) -> int:
        return self.file.skipped

    def todo(self, sources: Iterator[Source]) -> Iterator[Source]:
        return self.file.todo(sources, self.sorter.complete if self.sorter else None)

    def write(self, records: Iterable[Record]) -> None:
        for piece in self.destination.format.render(self._sorted(records), self.top):
            self.file.append(piece)
