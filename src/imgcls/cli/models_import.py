"""`imgcls models import`."""

from __future__ import annotations

from typing import Any

import click

from imgcls.cli.console import Console
from imgcls.cli.output import write_stdout
from imgcls.core.errors import UsageError
from imgcls.core.pixels.preprocessing import RESIZES

_SCALINGS = ("tf", "torch", "caffe", "unit", "none")


@click.command("import", short_help="Turn a Keras model into a model file.")
@click.argument("file", metavar="FILE.keras|FILE.h5")
@click.option(
    "--labels",
    metavar="FILE",
    help="The labels in the order of its scores: one a line, Teachable Machine's labels.txt, a "
    "JSON list, or class_indices.json.  [default: such a file beside the model]",
)
@click.option("--generic-labels", is_flag=True, help="Call the classes class_0, class_1, ….")
@click.option(
    "--scaling",
    type=click.Choice(_SCALINGS),
    help="How pixels are scaled for it.  [default: what lies in the network, or what its "
    "backbone was trained on]",
)
@click.option(
    "--resize",
    type=click.Choice(RESIZES),
    help="How images are made square.  [default: squash, as Keras' loaders do]",
)
@click.option(
    "--size", type=int, metavar="N", help="The size of its input, if it leaves that open."
)
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="PHOTO=LABEL",
    help="Try it on a photo, with each scaling; may be given again.",
)
@click.option("-o", "--output", required=True, metavar="FILE", help="The model, .safetensors.")
@click.option("--trust", is_flag=True, help="Say that you know where the file comes from.")
@click.option("--force", is_flag=True, help="Overwrite an existing model.")
@click.pass_obj
def import_(
    console: Console,
    /,
    file: str,
    output: str,
    checks: tuple[str, ...],
    trust: bool,
    force: bool,
    **chosen: Any,
) -> None:
    """Turn an image classifier that Keras saved into a model file.

    \b
    imgcls models import old.h5 -o mine.safetensors --labels labels.txt --trust

    Keras 3 or 2, .keras or .h5, Teachable Machine's too; sequential, functional or nested. No
    code of the file is run. The model file gives the scores that Keras gives, or is not written.
    """
    from imgcls.core.tasks.models.import_model import ImportOptions, import_model
    from imgcls.render import imported_model as render

    chosen_options = ImportOptions(checks=tuple(_pair(check) for check in checks), **chosen)
    model = import_model(file, output, chosen_options, trust=trust, force=force)
    for line in render.notes(output, model):
        console.say(line)
    write_stdout(render.text(output, model))


def _pair(text: str) -> tuple[str, str]:
    photo, equals, label = text.rpartition("=")
    if not (photo and equals and label):
        raise UsageError(f"{text}: a check is PHOTO=LABEL")
    return photo, label
