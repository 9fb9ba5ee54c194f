"""Where predictions are to go, as the options say, and what may not be replaced there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from imgcls.cli.replacing import Earlier, check_same_inputs, part_of
from imgcls.cli.report_folder import ReportFolder
from imgcls.core.errors import UsageError
from imgcls.core.output_file import check_output, is_special
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.options import SortOptions
from imgcls.render.predictions import FORMATS, Format, format_of


@dataclass(frozen=True, eq=False, repr=False)
class Destination:
    """Where predictions are to go.

    Attributes:
        output: the file; None for standard output.
        format_name: a row of FORMATS; default: as the ending of `output` says, else text.
        resume: whether to go on with an interrupted output, or add to a finished one.
        force: whether results of other inputs may be replaced.
        sort: where the images themselves are to go.
        report: the folder whose page is `output`; None where it is no such page.

    Raises:
        OutputError: `output` is a file of another kind.
        UsageError: they contradict each other, or its ending stands for no format.
    """

    output: str | None
    format_name: str | None
    resume: bool
    force: bool
    sort: SortOptions
    report: ReportFolder | None = None

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
        if self.report is not None:
            return self.report.format
        return FORMATS[self.format_name or format_of(self.output)]

    @property
    def page(self) -> str | None:
        """The output, if it is a page that a browser shows."""
        return self.output if self.format.endings == FORMATS["html"].endings else None

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
        if self.report is not None:
            self.report.begin(inputs)
        if self.output is not None:
            check_output(self.output, self.format.begins)
        return check_same_inputs(
            self._earlier(),
            inputs,
            sources,
            listed=listed,
            moved=self.sort.moves,
            resumable=self.format.grows and not self.resume,
        )

    def _earlier(self) -> list[Earlier]:
        """Return the files of earlier results that this run would replace."""
        if self.output is None or self.force or self._goes_on(self.output):
            return []
        names = [self.output, part_of(self.output)] if self.grows else [self.output]
        return [Earlier(name, self.format.names) for name in names]

    def _goes_on(self, output: str) -> bool:
        """Whether the run adds to an output, and what is there is known."""
        if not self.resume:
            return False
        from imgcls.core.tasks.classify.journal import has_journal

        return has_journal(output)


def _is_of_any_format(start: bytes) -> bool:
    return any(format_.begins(start) for format_ in FORMATS.values())
