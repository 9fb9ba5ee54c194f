"""`imgcls evaluate`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from imgcls.cli import options, report_page
from imgcls.cli.console import Console
from imgcls.cli.output import stdout_style, write_stdout
from imgcls.cli.summary import Summary
from imgcls.cli.totals import total
from imgcls.core.engines.engine import EngineName
from imgcls.core.engines.model import load_model
from imgcls.core.models.labels import Language
from imgcls.core.pixels.preprocessing import Interpolation, Resize
from imgcls.core.tasks.heatmap.explain import heatmaps_of
from imgcls.core.tasks.labelled import evaluation_page
from imgcls.core.tasks.labelled.evaluate import EvaluateOptions, evaluate_scored, score_images
from imgcls.core.tasks.labelled.figures import TARGET_ACCURACY
from imgcls.core.tasks.labelled.sources import LABELS_FROM, LabelsFrom, check_root
from imgcls.render.evaluation import EVALUATION_FORMATS


@click.command()
@click.argument("root", metavar="DATA")
@options.model
@options.language
@click.option(
    "--labels-from",
    type=click.Choice(list(LABELS_FROM)),
    default="folder",
    show_default=True,
    help="An image's label: the folder of DATA it is in, or what stands before the first _ of "
    "its name.",
)
@options.format_name(EVALUATION_FORMATS, "How to show the figures; csv is a row a class.")
@report_page.options("figures, confusion matrix, worst mistakes with heatmaps")
@click.option(
    "--unfamiliar",
    metavar="DIR",
    help="Photos of none of the classes: say how many of them are called unknown.",
)
@click.option(
    "--target-accuracy",
    type=click.FloatRange(0, 1),
    default=TARGET_ACCURACY,
    show_default=True,
    metavar="P",
    help="Recommend a --min-confidence with which this part of the accepted images is right.",
)
@options.preprocessing
@options.workers
@click.pass_obj
def evaluate(
    console: Console,
    /,
    *,
    root: str,
    model: str,
    weights: str | None,
    engine: EngineName,
    language: Language,
    format_name: str,
    report: str | None,
    show: bool,
    labels_from: LabelsFrom,
    unfamiliar: str | None,
    target_accuracy: float,
    resize: Resize | None,
    interpolation: Interpolation | None,
    workers: int | None,
) -> int:
    """Score a model on labelled images.

    \b
    imgcls evaluate photos/test -m mine.safetensors
    imgcls evaluate photos/test -m mine.safetensors --report report.html

    DATA is a folder of images whose labels, class ids or names of the model's classes, are the
    names of its subfolders or stand at the start of the files' names; or a CSV file with the
    columns path, label and, if wanted, split, of which the rows of test are scored. Figures by
    class, and their plain (macro) and weighted means, are over the classes that occur as label or
    as answer.
    """
    options_ = EvaluateOptions(
        labels_from, resize, interpolation, workers, unfamiliar, target_accuracy
    )
    page = report_page.ReportPage(report, show, evaluation_page.is_own)
    summary = Summary("image", root)
    check_root(root)
    opened = load_model(model, weights=weights, engine=engine, threads=workers, language=language)
    count = total([root]) if os.path.isdir(root) else None  # of a table one split is scored
    scored = summary.count(console.progress(score_images(root, opened, options_), "image", count))
    evaluation = evaluate_scored(scored, opened, options_)
    write_stdout(EVALUATION_FORMATS[format_name](evaluation, stdout_style()))

    def pieces() -> Iterator[str]:
        wrong = bool(evaluation.misclassified)  # else nothing is opened that draws heatmaps
        draw = heatmaps_of(opened, resize, interpolation) if wrong else None
        return evaluation_page.report_page(evaluation, draw)

    page.write(pieces)  # after the figures, which a page that fails must not take along
    code = summary.close(console)
    page.show()
    return code
