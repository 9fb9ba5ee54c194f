"""`imgcls doctor`."""

from __future__ import annotations

import click

from imgcls.cli import options
from imgcls.cli.output import write_stdout


@click.command()
@options.format_name(["text", "json"], "How to show it.")
def doctor(format_name: str) -> int:
    """Show what a bug report needs, and find the usual troubles.

    Versions, processor, memory, cache and the variables that are set; nothing is changed. Exit
    code 1: something is wrong.
    """
    from imgcls.core.tasks.doctor.doctor import check_up
    from imgcls.render import doctor as render

    found = check_up()
    write_stdout(render.FORMATS[format_name](found))
    return 1 if found.troubles else 0
