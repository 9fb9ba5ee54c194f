"""`imgcls heatmap`."""

from __future__ import annotations

import click

from imgcls.cli import options, viewer
from imgcls.cli.console import Console
from imgcls.cli.output import write_stdout
from imgcls.cli.summary import Summary
from imgcls.cli.totals import any_there, count_ahead, total
from imgcls.core.engines.closed import closed_model
from imgcls.core.engines.engine import EngineName
from imgcls.core.engines.model import load_model
from imgcls.core.models.labels import Language
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.tasks.heatmap.colors import DEFAULT_COLORMAP
from imgcls.core.tasks.heatmap.drawing import EVIDENCE, Alpha
from imgcls.core.tasks.heatmap.explain import Explainer, layers_of
from imgcls.core.tasks.heatmap.methods import CAM_METHODS, DEFAULT_METHOD
from imgcls.core.tasks.heatmap.options import DrawOptions, ExplainOptions
from imgcls.core.tasks.heatmap.output_files import unread_heatmaps, write_heatmaps
from imgcls.core.tasks.heatmap.output_names import name_outputs
from imgcls.render.heatmaps import FORMATS, LAYER_FORMATS

LIST_LAYERS = "list"


def _alpha(context: click.Context, parameter: click.Parameter, value: str | None) -> Alpha | None:
    """Read a number or a word; whether it is in range `DrawOptions` knows."""
    if value is None or value == EVIDENCE:
        return value
    try:
        return float(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is neither a number nor {EVIDENCE}.") from None


@click.command()
@options.inputs
@click.option("-o", "--output", "out", metavar="OUT", help="A file for one image, or a folder.")
@options.model
@options.language
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
@click.option(
    "--versus", metavar="CLASS", help="Show what favours the explained class over this one."
)
@click.option("--layer", metavar="NAME", help="Look at this layer; list shows the model's layers.")
@click.option(
    "--alpha",
    callback=_alpha,
    metavar="A",
    help="How much of the colour lies over the image, 0 to 1; evidence: as much as the evidence "
    "at each place is strong.  [default: 0.4; evidence in a panel and for maps of single pixels]",
)
@click.option(
    "--colormap",
    default=DEFAULT_COLORMAP,
    show_default=True,
    metavar="NAME",
    help="Any colour map of matplotlib.",
)
@click.option("--panel", is_flag=True, help="Image, heatmap and overlay side by side.")
@click.option(
    "--dpi",
    type=int,
    metavar="N",
    help="Make the panel for print, 7 inches (18 cm) wide at N dots an inch; 300 is usual.",
)
@click.option("--raw", is_flag=True, help="Write the map too, as .npy of float32, 0 to 1.")
@viewer.option("the heatmap, or the folder of several,")
@click.option("--faithfulness", is_flag=True, help="Measure deletion and insertion scores.")
@options.preprocessing
@options.format_name(FORMATS, "How the records on stdout are shown.")
@options.workers
@click.option("--fail-fast", is_flag=True, help="Stop at the first image that fails.")
@click.pass_obj
def heatmap(
    console: Console,
    /,
    *,
    inputs: tuple[str, ...],
    files_from: str | None,
    null: bool,
    out: str | None,
    model: str,
    weights: str | None,
    engine: EngineName,
    language: Language,
    method: str,
    class_name: str | None,
    rank: int | None,
    versus: str | None,
    layer: str | None,
    alpha: Alpha | None,
    colormap: str,
    panel: bool,
    dpi: int | None,
    raw: bool,
    show: bool,
    faithfulness: bool,
    resize: Resize | None,
    interpolation: Interpolation | None,
    format_name: str,
    workers: int | None,
    fail_fast: bool,
) -> int:
    """Draw which pixels made the model decide.

    \b
    imgcls heatmap cat.jpg -o why.png --panel
    imgcls heatmap photos/ -o heatmaps/ -m mine.safetensors --class car

    INPUT is a file, a folder, a quoted glob, a URL, or - for one image on stdin.
    """
    if layer == LIST_LAYERS:
        write_stdout(LAYER_FORMATS[format_name](*layers_of(model)))
        return 0
    sources = options.sources(inputs, files_from, null)
    what = ExplainOptions(
        method=method,
        class_name=class_name,
        rank=rank,
        versus=versus,
        layer=layer,
        faithfulness=faithfulness,
        resize=resize,
        interpolation=interpolation,
        workers=workers,
    )
    how = DrawOptions(alpha, colormap, panel, raw, dpi)
    there, sources = any_there(sources, inputs, files_from)
    images, sources = count_ahead(engine, "float32", sources, files_from)
    jobs = name_outputs(sources, out)  # an output that cannot be is said before any work
    if there:
        opened = load_model(
            model,
            weights=weights,
            engine=engine,
            threads=workers,
            language=language,
            images=images,
        )
        written = write_heatmaps(jobs, Explainer(opened, what), how)
    else:
        written = unread_heatmaps(jobs, closed_model(model, weights, language), what)
    summary = Summary("image", ", ".join(inputs), fail_fast=fail_fast)
    result = viewer.Result(out, show)
    records = result.note(console.progress(written, "image", total(inputs, files_from, null=null)))
    write_stdout(FORMATS[format_name](summary.count(records)))
    code = summary.close(console)
    result.show()
    return code
