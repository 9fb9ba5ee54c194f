"""`imgcls export`."""

from __future__ import annotations

from typing import Any

import click

from imgcls.cli.console import Console
from imgcls.cli.output import write_stdout


@click.command()
@click.argument("model", metavar="MODEL")
@click.option(
    "-o",
    "--output",
    "out",
    required=True,
    metavar="FILE",
    help="Write FILE; its ending says for which runtime: .tflite, .onnx, .xml "
    "(OpenVINO), .keras, .h5, or / for a SavedModel folder.",
)
@click.option("--weights", metavar="FILE", help="Local weights for it (.h5 or .weights.h5).")
@click.option(
    "--precision",
    type=click.Choice(["float32", "float16", "int8"]),
    default="float32",
    show_default=True,
    help="How the weights are stored; int8 computes in it too (.tflite).",
)
@click.option(
    "--calibrate",
    metavar="DIR",
    help="Photos like those to be classified; int8 is calibrated on the first 100.",
)
@click.option(
    "--with-preprocessing",
    is_flag=True,
    help="Scale the pixels in the model, which then takes uint8 RGB.",
)
@click.option(
    "--batch",
    type=click.Choice(["fixed", "dynamic"]),
    help="Take one image at a time, or any number.  [default: fixed for .tflite, dynamic for "
    ".onnx and .xml]",
)
@click.option(
    "--opset",
    type=int,
    metavar="N",
    help="The version of ONNX's operators, 13 to 23.  [default: 17]",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@click.pass_obj
def export(console: Console, /, model: str, out: str, weights: str | None, **chosen: Any) -> None:
    """Write a model for another runtime, and prove that it is the same.

    \b
    imgcls export mine.safetensors -o mine.tflite
    imgcls export mine.safetensors -o mine.onnx --with-preprocessing

    MODEL is a model's name (imgcls models lists them), or a file that finetune or models import
    wrote. Labels and preprocessing go along. The file is run in its runtime on eight images, and
    is not written unless its scores are those of predict.
    """
    from imgcls.core.tasks.export.export import export as export_
    from imgcls.core.tasks.export.options import ExportOptions
    from imgcls.render import export as render

    done = export_(model, out, ExportOptions(**chosen), weights=weights)
    for line in render.notes(done):
        console.say(line)
    write_stdout(render.text(out, done))
