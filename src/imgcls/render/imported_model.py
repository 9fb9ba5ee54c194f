"""What `models import` made → text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from imgcls.core.pixels.preprocessing import SCALINGS
from imgcls.core.safe import printable
from imgcls.core.tasks.models.import_model import ImportedModel, PhotoCheck
from imgcls.core.words import counted


def text(name: str, model: ImportedModel) -> Iterator[str]:
    """Yield the line that is the result."""
    file, side = model.file, model.file.preprocessing.size
    classes = len(file.labels)
    network = printable(file.training["recognised"])
    yield f"{printable(name)}: {network}, {side}×{side} pixels, {classes} classes\n"


def notes(name: str, model: ImportedModel) -> Iterator[str]:
    """Yield what was recognised, dropped and folded, a line each, and what is not certain."""
    training, preprocessing = model.file.training, model.file.preprocessing
    described = model.file.described
    if described is not None:
        layers = counted(len(described.layers), "layer")
        parameters = f"{described.parameter_count:,} parameters"
        yield f"recognised: {training['recognised']}, {layers}, {parameters}"
    if training.get("dropped"):
        yield f"dropped, since it only matters in training: {_counts(training['dropped'])}"
    if training.get("folded"):
        yield f"folded into the dense layers: {_counts(training['folded'])}"
    if training["ended_in"] in ("sigmoid", "logit"):
        yield "one sigmoid became two classes, which can both be explained"
    if training.get("scaled_by"):
        yield f"pixels are scaled inside the network: {', '.join(training['scaled_by'])}"
    if training.get("made_grey"):
        yield "it takes grey images: photos are made grey in the network"
    yield f"images: {preprocessing.in_words()}"
    yield (
        f"its scores differ by at most {model.max_difference:.0e} from those of the source "
        f"(8 random images, {counted(model.real_images, 'photo')})"
    )
    if model.scaling_guessed:
        words = SCALINGS[preprocessing.scaling].words
        yield (
            f"Warning: {printable(name)}: nothing in the file says how pixels were scaled; taken "
            f"is what {training['recognised']} was trained on ({words}); if that is wrong, so are "
            "all scores: say --scaling, and try --check PHOTO=LABEL"
        )
    for check in model.checks:
        yield from _check(check)


def _check(check: PhotoCheck) -> Iterator[str]:
    (chosen, (best, score)), *others = check.answers.items()
    right = "right" if best == check.label else f"wrong, it says {best}"
    yield f"{check.photo}: {check.label} {score:.1%} with {chosen} ({right})"
    for scaling, (label, other) in others:
        yield f"  with --scaling {scaling}: {check.label} {other:.1%}, best {label}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())
