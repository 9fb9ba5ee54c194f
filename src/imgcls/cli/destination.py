"""Where predictions are to go, as the options say, and what may not be replaced there."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass

from imgcls.cli.output import check_output, is_special
from imgcls.core.errors import OutputError, UsageError
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.journal import has_journal
from imgcls.core.tasks.classify.options import SortOptions
from imgcls.render.earlier import NamedInputs
from imgcls.render.predictions import FORMATS, Format, format_of
from imgcls.render.safe import printable


@dataclass(frozen=True)
class Destination:
    """Where predictions are to go.

    Attributes:
        output: the file; None for standard output.
        format_name: a row of FORMATS; default: as the ending of `output` says, else text.
        resume: whether to go on with an interrupted output, or add to a finished one.
        force: whether results of other inputs may be replaced.
        sort: where the images themselves are to go.

    Raises:
        OutputError: `output` is a file of another kind.
        UsageError: they contradict each other, or its ending stands for no format.
    """

    output: str | None
    format_name: str | None
    resume: bool
    force: bool
    sort: SortOptions

    def __post_init__(self) -> None:
        if self.output is not None and os.path.isfile(self.output):  # whatever its ending says
            check_output(self.output, _is_of_any_format)
        if self.sort.dry_run and (self.output is not None or self.format_name is not None):
            raise UsageError("--dry-run prints a plan, not predictions; leave out -o and -f")
        if self.format.binary and self.output is None:
            raise UsageError(f"{self.format_name} is no text; name a file with --output")
        if self.resume and not self.grows:
            raise UsageError("--resume goes with --output FILE in jsonl or csv")
        if self.force and (self.output is None or self.resume):
            raise UsageError("--force replaces the file of --output; it does not go with --resume")

    @property
    def format(self) -> Format:
        """How the records are shown."""
        return FORMATS[self.format_name or format_of(self.output)]

    @property
    def page(self) -> str | None:
        """The output, if it is a page that a browser shows."""
        return self.output if self.format is FORMATS["html"] else None

    @property
    def grows(self) -> bool:
        """Whether the output grows record by record."""
        return self.output is not None and self.format.grows and not is_special(self.output)

    def checked(
        self, inputs: tuple[str, ...], sources: Iterator[Source], listed: bool
    ) -> Iterator[Source]:
        """Refuse, before any work is done, what cannot or must not be written.

        Results of other inputs are not replaced. The same inputs again replace theirs, also
        where a folder has fewer images now; but an image that is moved away is not there again.

        Args:
            inputs: as the user named them.
            sources: what they stand for.
            listed: whether some are from a list, which can be read only once.

        Returns:
            All the sources.

        Raises:
            OutputError: the output is something else or has results of other inputs, or lacks
                its folder or a library.
            UsageError: images would be sorted into one of the inputs.
        """
        self.sort.check_inputs(inputs)
        self.format.check()
        if self.output is not None:
            check_output(self.output, self.format.begins)
        earlier = self._earlier()
        if not earlier:
            return sources
        known = list(sources) if listed else []
        named = NamedInputs(inputs, (source.name for source in known))
        for path in earlier:
            for name in self._names(path):
                if not named.cover(name) or (self.sort.moves and _is_gone(name)):
                    also = ", --resume adds to it" if self.format.grows and not self.resume else ""
                    raise OutputError(
                        f"{path}: has results of other inputs ({printable(name)}); --force "
                        f"replaces it{also}"
                    )
        return iter(known) if listed else sources

    def _earlier(self) -> list[str]:
        """Return the files of earlier results that this run would replace."""
        if self.output is None or self.force or (self.resume and has_journal(self.output)):
            return []
        written = os.path.realpath(self.output) if os.path.islink(self.output) else self.output
        names = [self.output, f"{written}.part"] if self.grows else [self.output]
        return list(filter(os.path.isfile, names))

    def _names(self, path: str) -> Iterator[str]:
        with open(path, "rb") as file, contextlib.suppress(ValueError, csv.Error):
            yield from self.format.names(file)  # of what a run or a user left incomplete, the rest


def _is_of_any_format(start: bytes) -> bool:
    return any(format_.begins(start) for format_ in FORMATS.values())


def _is_gone(name: str) -> bool:
    """Whether a record is of a file that is no longer there, as after it was moved."""
    return name != "-" and "://" not in name and not os.path.lexists(name)
