"""`imgcls activations`."""

from __future__ import annotations

import click

from imgcls.cli import options, viewer
from imgcls.cli.console import Console
from imgcls.cli.output import write_stdout
from imgcls.cli.summary import Summary
from imgcls.cli.totals import any_there, total
from imgcls.core.engines.closed import closed_model
from imgcls.core.engines.model import load_model
from imgcls.core.models.labels import Language
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.tasks.heatmap.activation_files import (
    SheetOptions,
    unread_activations,
    write_activations,
)
from imgcls.core.tasks.heatmap.activation_sheet import DEFAULT_CHANNELS
from imgcls.core.tasks.heatmap.activations import ActivationOptions
from imgcls.core.tasks.heatmap.output_names import ACTIVATIONS_ENDING, name_outputs
from imgcls.render.activations import FORMATS


@click.command()
@options.inputs
@click.option("-o", "--output", "out", metavar="OUT", help="A file for one image, or a folder.")
@options.named_model
@options.language
@click.option(
    "--layer",
    "layers",
    multiple=True,
    metavar="NAME",
    help="Show this layer; may be given again.  [default: all that have height and width]",
)
@click.option("--first", type=click.IntRange(min=1), metavar="N", help="Show the first N only.")
@click.option(
    "--channels",
    type=click.IntRange(min=1),
    default=DEFAULT_CHANNELS,
    show_default=True,
    metavar="N",
    help="Draw at most the first N channels of each layer.",
)
@viewer.option("the sheet, or the folder of several,")
@click.option("--raw", is_flag=True, help="Write the arrays too, as .npz, one for each layer.")
@options.preprocessing
@options.format_name(FORMATS, "How the records on stdout are shown.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first image that fails.")
@click.pass_obj
def activations(
    console: Console,
    /,
    *,
    inputs: tuple[str, ...],
    files_from: str | None,
    null: bool,
    out: str | None,
    model: str,
    weights: str | None,
    language: Language,
    layers: tuple[str, ...],
    first: int | None,
    channels: int,
    raw: bool,
    show: bool,
    resize: Resize | None,
    interpolation: Interpolation | None,
    format_name: str,
    fail_fast: bool,
) -> int:
    """Draw what the layers of a network answer to an image.

    \b
    imgcls activations cat.jpg -o layers.png --first 8
    imgcls activations cat.jpg -o layer.png -m vgg16 --layer block1_conv1

    A sheet for each image: for each layer a grid of its channels, each scaled to its own range.
    INPUT is a file, a folder, a quoted glob, a URL, or - for one image on stdin.
    """
    sources = options.sources(inputs, files_from, null)
    which = ActivationOptions(layers, first, resize, interpolation)
    sheet = SheetOptions(channels, raw)
    there, sources = any_there(sources, inputs, files_from)
    jobs = name_outputs(sources, out, ACTIVATIONS_ENDING)
    if there:
        # Keras shows every layer; the other engines only what a network ends in.
        opened = load_model(model, weights=weights, engine="keras", language=language)
        written = write_activations(jobs, opened, which, sheet)
    else:
        written = unread_activations(jobs, closed_model(model, weights, language))
    summary = Summary("image", ", ".join(inputs), fail_fast=fail_fast)
    result = viewer.Result(out, show)
    records = result.note(console.progress(written, "image", total(inputs, files_from, null=null)))
    write_stdout(FORMATS[format_name](summary.count(records)))
    code = summary.close(console)
    result.show()
    return code
