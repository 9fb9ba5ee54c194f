"""`imgcls heatmap`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from imgcls.cli import options
from imgcls.cli.console import Console
from imgcls.cli.output import write_stdout
from imgcls.cli.summary import Summary
from imgcls.core.engines.model import load_model
from imgcls.core.errors import UsageError
from imgcls.core.models.table import MODELS
from imgcls.core.tasks.heatmap.drawing import DEFAULT_ALPHA, DEFAULT_COLORMAP
from imgcls.core.tasks.heatmap.explain import Explainer
from imgcls.core.tasks.heatmap.explanation import Question
from imgcls.core.tasks.heatmap.methods import CAM_METHODS, DEFAULT_METHOD
from imgcls.core.tasks.heatmap.output_files import Drawing, write_heatmaps
from imgcls.core.tasks.heatmap.output_names import name_outputs
from imgcls.render.heatmaps import FORMATS, LAYER_FORMATS

LIST_LAYERS = "list"


@click.command()
@options.inputs
@click.option("-o", "--output", "out", metavar="OUT", help="A file for one image, or a folder.")
@options.model
@click.option(
    "--method",
    type=click.Choice(list(CAM_METHODS)),
    default=DEFAULT_METHOD,
    show_default=True,
    metavar="NAME",
    help=f"How it is computed: {', '.join(CAM_METHODS)}.",
)
@click.option(
    "--class",
    "class_name",
    metavar="CLASS",
    help="Explain this class: a label, an id or a number.  [default: the best of each image]",
)
@click.option(
    "--rank", type=click.IntRange(min=1), metavar="N", help="Explain the N-th best class."
)
@click.option("--versus", metavar="CLASS", help="What speaks against this class, for the other.")
@click.option("--layer", metavar="NAME", help="Look at this layer; list shows the model's layers.")
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1),
    default=DEFAULT_ALPHA,
    show_default=True,
    metavar="A",
    help="How much of the colour lies over the image.",
)
@click.option(
    "--colormap",
    default=DEFAULT_COLORMAP,
    show_default=True,
    metavar="NAME",
    help="Any colour map of matplotlib.",
)
@click.option("--panel", is_flag=True, help="Image, heatmap and overlay side by side.")
@click.option("--raw", is_flag=True, help="Write the map too, as .npy of float32, 0 to 1.")
@click.option("--faithfulness", is_flag=True, help="Measure deletion and insertion scores.")
@options.preprocessing
@options.format_name(FORMATS, "How the records on stdout are shown.")
@options.workers
@click.option("--fail-fast", is_flag=True, help="Stop at the first image that fails.")
@click.pass_obj
def heatmap(
    console: Console,
    /,
    inputs: tuple[str, ...],
    files_from: str | None,
    null: bool,
    out: str | None,
    model: str,
    weights: str | None,
    engine: Any,
    alpha: float,
    colormap: str,
    panel: bool,
    raw: bool,
    format_name: str,
    workers: int | None,
    fail_fast: bool,
    **question: Any,
) -> int:
    """Draw which pixels made the model decide.

    INPUT is a file, a folder, a quoted glob, a URL, or - for one image on stdin.
    """
    if question["layer"] == LIST_LAYERS:
        write_stdout(_layers(model, weights, format_name))
        return 0
    sources = options.sources(inputs, files_from, null)
    if out is None:
        raise UsageError("no output; name a file or a folder with -o")
    asked = Question(**question)
    drawing = Drawing(alpha, colormap, panel, raw)
    summary = Summary("image", ", ".join(inputs), fail_fast=fail_fast)
    jobs = name_outputs(sources, out)  # an output that cannot be is said before any work
    opened = load_model(model, weights=weights, engine=engine, threads=workers)
    records = write_heatmaps(jobs, Explainer(opened, asked), drawing, workers)
    write_stdout(FORMATS[format_name](summary.count(console.progress(records, "images"))))
    return summary.close(console)


def _layers(model: str, weights: str | None, format_name: str) -> Iterator[str]:
    # A named model's layers need no weights; a file says which network it is for.
    from imgcls.core.keras.layers import list_layers

    spec = MODELS[model] if model in MODELS else load_model(model, weights=weights).network.spec
    return LAYER_FORMATS[format_name](*list_layers(spec))
