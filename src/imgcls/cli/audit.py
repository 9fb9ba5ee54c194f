"""`imgcls audit`."""

from __future__ import annotations

import click

from imgcls.cli import options
from imgcls.cli.console import Console
from imgcls.cli.output import write_stdout
from imgcls.cli.summary import EXIT_SOME_FAILED
from imgcls.core.tasks.labelled.audit import audit as audit_folder
from imgcls.core.words import counted
from imgcls.render.audit import FORMATS


@click.command()
@click.argument("folder", metavar="DATA")
@options.format_name(FORMATS, "How to show what was found; json and csv list every file.")
@click.pass_obj
def audit(console: Console, folder: str, format_name: str) -> int:
    """Find what is wrong with a labelled folder before training on it.

    \b
    imgcls audit photos/
    imgcls audit photos/ -f json

    DATA holds a folder per class, or train beside val or test folders that do; or is a CSV file
    with the columns path, label and, if wanted, split. Nothing in it is changed. The exit code is
    3 where something was found.
    """
    report = audit_folder(folder)
    write_stdout(FORMATS[format_name](report))
    console.say(f"{counted(len(report.findings), 'finding')} in {counted(report.images, 'image')}")
    return EXIT_SOME_FAILED if report.findings else 0
