"""What a worker does: it opens the model once, then makes part after part."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from imgcls.core.engines.model import Model
from imgcls.core.errors import ClusterError, ModelError, UsageError
from imgcls.core.parallel import map_ordered
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.cluster.job_folder import JobFolder, Note
from imgcls.core.tasks.cluster.parcel import Parcel, unpack
from imgcls.core.version import __version__

log = logging.getLogger("imgcls")

# What kills every process that meets it, as a broken library may, must end sometime.
_MOST_TRIES = 5
_FAR = ("store", "url")
_READERS = 8  # at once; twice as many images wait in memory
_ERRORS_NOTED = 20  # of a part; all are in its records


@dataclass(frozen=True)
class Work:
    """What is done with each part; it travels to the workers, so its functions have a module.

    Attributes:
        make: sources and a model → a record for each, in order.
        write: records → the pieces of a file.
    """

    make: Callable[[Iterable[Source], Model], Iterable[Any]]
    write: Callable[[Iterable[Any]], Iterable[str | bytes]]


@dataclass(frozen=True)
class Order:
    """What a worker is told once.

    Attributes:
        work: what to do.
        parcel: the model to do it with.
        folder: where the parts go.
        working_folder: what relative names are relative to.
        offline: whether the network is forbidden.
        verbose: whether to log what goes on.
        imgcls: the version of who gives the order.
    """

    work: Work
    parcel: Parcel
    folder: JobFolder
    working_folder: str
    offline: bool
    verbose: bool
    imgcls: str = __version__


class Worker:
    """A process of the cluster that has opened the model."""

    def __init__(self, order: Order, content: bytes) -> None:
        """Open the model.

        Args:
            order: what to do.
            content: of the parcel's file.

        Raises:
            ModelError: this node has another version of imgcls, or the model cannot be opened.
            UsageError: this node does not have the folder that names are relative to.
        """
        node = socket.gethostname()
        if order.imgcls != __version__:
            raise ModelError(
                f"{node}: has imgcls {__version__}, not {order.imgcls}; install the same version "
                "on every node"
            )
        try:
            os.chdir(order.working_folder)
        except OSError as error:
            raise UsageError(
                f"{node}: does not see {order.working_folder} ({error.strerror}); start in a "
                "folder that every node sees"
            ) from error
        if order.offline:
            os.environ["IMGCLS_OFFLINE"] = "1"
        if order.verbose:
            log.setLevel(logging.DEBUG)
            if not log.handlers:  # of a process of Ray's own, whose errors go to the driver
                log.addHandler(logging.StreamHandler())
        self.order = order
        self.model = unpack(order.parcel, content, threads=1)

    def do(self, part: str) -> Note:
        """Make a part and its note; where both are there already, only return the note.

        Raises:
            ClusterError: so many workers have died over it that it is given up.
        """
        folder, work = self.order.folder, self.order.work
        if note := folder.note_of(part):  # a worker that died had got this far
            return note
        started, cpu_started = time.monotonic(), time.process_time()
        sources, tries = folder.take(part)
        if tries > _MOST_TRIES:
            raise ClusterError(
                f"{tries} workers died over {part} ({sources[0].name} to {sources[-1].name}); is "
                "there enough memory, or does one of these crash them? The command started again "
                "goes on with what is missing"
            )
        counts = Counts()
        pieces = work.write(counts.of(work.make(read_ahead(sources), self.model)))
        content = b"".join(
            piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece
            for piece in pieces
        )
        note = Note(
            part,
            len(content),
            seconds=round(time.monotonic() - started, 3),
            cpu_seconds=round(time.process_time() - cpu_started, 3),
            **counts.as_facts(),
        )
        folder.finish(content, note)
        return note


def read_ahead(sources: list[Source]) -> Iterable[Source]:
    """Return the sources, in order; those of stores and servers are read a few at once.

    To wait for one answer after the other would leave the processor idle for most of the time.
    """
    if not any(source.kind in _FAR for source in sources):
        return sources
    return map_ordered(
        lambda chunk: [one.with_content() if one.kind in _FAR else one for one in chunk],
        sources,
        workers=_READERS,
    )


@dataclass
class Counts:
    """Counts records as they pass."""

    images: int = 0
    failed: int = 0
    unknown: int = 0
    errors: list[list[str]] = field(default_factory=list)

    def of(self, records: Iterable[Any]) -> Iterator[Any]:
        """Yield the records."""
        for record in records:
            self.images += 1
            self.unknown += getattr(record, "status", "") == "unknown"
            if record.error is not None:
                self.failed += 1
                if len(self.errors) < _ERRORS_NOTED:
                    self.errors.append([record.path, record.error])
            yield record

    def as_facts(self) -> dict[str, Any]:
        """Return them by name."""
        return {
            "images": self.images,
            "failed": self.failed,
            "unknown": self.unknown,
            "errors": self.errors,
        }
