"""`imgcls models import`."""

from __future__ import annotations

import click

from imgcls.cli.console import Console
from imgcls.cli.output import write_stdout
from imgcls.render.safe import printable


@click.command("import")
@click.argument("file", metavar="FILE.keras|FILE.h5")
@click.option(
    "--labels",
    required=True,
    metavar="FILE",
    help="The labels in the order of its scores: one a line, or a JSON list.",
)
@click.option("-o", "--output", required=True, metavar="FILE", help="The model, .safetensors.")
@click.option("--trust", is_flag=True, help="Load the file although it could run code.")
@click.pass_obj
def import_(console: Console, file: str, labels: str, output: str, trust: bool) -> None:
    """Turn a Keras model into a model file.

    It must be a network that imgcls knows, average pooling and dense layers. Loading a Keras
    file can run code that is hidden in it: import only what you trust.
    """
    from imgcls.core.tasks.models.import_model import import_model

    model = import_model(file, labels, output, trust=trust)
    write_stdout([f"{printable(output)}: {model.backbone}, {len(model.labels)} classes\n"])
