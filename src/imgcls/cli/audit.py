"""`imgcls audit`."""

from __future__ import annotations

import click

from imgcls.cli import options, report_page
from imgcls.cli.console import Console
from imgcls.cli.output import write_stdout
from imgcls.cli.summary import EXIT_SOME_FAILED
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.tasks.auditing.audit import audit as audit_folder
from imgcls.core.tasks.labelled import audit_page
from imgcls.core.words import counted
from imgcls.render.audit import FORMATS


@click.command()
@click.argument("folder", metavar="DATA")
@options.format_name(FORMATS, "How to show what was found; json and csv list every file.")
@click.option(
    "--labels",
    is_flag=True,
    help="Look for labels that the photos contradict, too; a network looks at all of them.",
)
@click.option(
    "-m",
    "--model",
    default=DEFAULT_MODEL,
    show_default=True,
    metavar="MODEL",
    help="The network for --labels.",
)
@report_page.options("what was found, with thumbnails")
@click.pass_obj
def audit(
    console: Console,
    /,
    *,
    folder: str,
    format_name: str,
    labels: bool,
    model: str,
    report: str | None,
    show: bool,
) -> int:
    """Find what is wrong with a labelled folder before training on it.

    \b
    imgcls audit photos/
    imgcls audit photos/ --labels --report audit.html

    DATA holds a folder per class, or train beside val or test folders that do; or is a CSV file
    with the columns path, label and, if wanted, split. Nothing in it is changed. The exit code is
    3 where something was found.
    """
    page = report_page.ReportPage(report, show, audit_page.is_own)
    found = audit_folder(folder, labels=labels, model=model)
    write_stdout(FORMATS[format_name](found))
    page.write(lambda: audit_page.report_page(found))
    console.say(f"{counted(len(found.findings), 'finding')} in {counted(found.images, 'image')}")
    page.show()
    return EXIT_SOME_FAILED if found.findings else 0
