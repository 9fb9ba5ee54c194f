"""Which measure tells photos of other things, and whether the scores mean what they say.

    python benchmarks/trust.py KNOWN --test TEST --unfamiliar DIR... [--as-known]

KNOWN and TEST hold a folder of photos per class. A fifth of KNOWN sets the limit; the measures
that were rejected are here and nowhere else. `--as-known` brings the unfamiliar photos to the
size and compression of the known ones first, so that these alone cannot tell.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from imgcls.core.arrays import softmax
from imgcls.core.engines.model import Model, load_model
from imgcls.core.models.familiarity import closeness, principal_directions
from imgcls.core.models.head import Head
from imgcls.core.pixels.sources import walk
from imgcls.core.tasks.features.features import features
from imgcls.core.tasks.labelled.metrics import calibration, expected_calibration_error
from imgcls.core.tasks.labelled.trust import area_under_roc
from imgcls.core.tasks.training.batches import FixedFeatures
from imgcls.core.tasks.training.calibration import fit_temperature, log_loss
from imgcls.core.tasks.training.folds import HeadRecipe, fit_head
from imgcls.core.tasks.training.split import stratified_split

Array = np.ndarray
Score = Callable[[Array], Array]  # features (n, d) → how familiar each is (n,), whatever the unit
Measure = Callable[[Array, Array], Score]  # learned features and their classes → the score

_LOST = 0.03  # of the right photos, at which the measures are compared
_DIRECTIONS = 40  # of all classes together


def _unit(x: Array) -> Array:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def _classes(x: Array, y: Array) -> list[Array]:
    return [x[y == column] for column in range(y.max() + 1)]


def softmax_score(x: Array, y: Array) -> Score:
    """The best score of a linear head (Hendrycks and Gimpel 2017, arXiv 1610.02136)."""
    head, _ = train_head(x, y, x, y, seed=0)
    return lambda q: softmax(head.logits(q)).max(axis=1)


def energy(x: Array, y: Array) -> Score:
    """The log of the sum of the exponentials of the logits (Liu et al. 2020, arXiv 2010.03759)."""
    head, _ = train_head(x, y, x, y, seed=0)
    return lambda q: np.log(np.exp(head.logits(q)).sum(axis=1))


def mahalanobis(x: Array, y: Array, relative: bool = False) -> Score:
    """Minus the least distance to a class (Lee et al. 2018; relative: Ren et al. 2021)."""
    means = [part.mean(axis=0) for part in _classes(x, y)]
    whole = x.mean(axis=0)
    within = _precision(x - np.stack(means)[y])
    overall = _precision(x - whole)

    def distance(q: Array, mean: Array, precision: Array) -> Array:
        return np.einsum("nd,nd->n", (q - mean) @ precision, q - mean)

    def score(q: Array) -> Array:
        nearest = np.min([distance(q, mean, within) for mean in means], axis=0)
        return -(nearest - distance(q, whole, overall)) if relative else -nearest

    return score


def _precision(residuals: Array) -> Array:
    covariance = residuals.T @ residuals / len(residuals)
    scale = np.trace(covariance) / len(covariance)
    return np.linalg.inv(0.9 * covariance + 0.1 * scale * np.eye(len(covariance)))


def class_means(x: Array, y: Array) -> Score:
    """The greatest cosine to the mean of a class (Tack et al. 2020, arXiv 2007.08176, for one)."""
    means = _unit(np.stack([part.mean(axis=0) for part in _classes(x, y)]))
    return lambda q: (_unit(q) @ means.T).max(axis=1)


def neighbours(x: Array, y: Array) -> Score:
    """The cosine to the fifth nearest photo (Sun et al. 2022, arXiv 2204.06507)."""
    known = _unit(x)
    return lambda q: np.sort(_unit(q) @ known.T, axis=1)[:, -5]


def residual(x: Array, y: Array, centred: bool = True) -> Score:
    """Minus what the principal directions of all leave (Wang et al. 2022, arXiv 2203.10807)."""
    mean = x.mean(axis=0) if centred else np.zeros(x.shape[1], x.dtype)
    _, _, rows = np.linalg.svd(x - mean, full_matrices=False)
    rows = rows[:_DIRECTIONS]

    def score(q: Array) -> Array:
        moved = q - mean
        left = moved - moved @ rows.T @ rows
        return -np.linalg.norm(left, axis=1) / np.linalg.norm(moved, axis=1)

    return score


def class_subspaces(x: Array, y: Array) -> Score:
    """The greatest part in the subspace of a class (Watanabe 1967, Oja 1983): what imgcls does."""
    parts = _classes(x, y)
    most = max(1, _DIRECTIONS // len(parts))
    directions = np.zeros((len(parts), most, x.shape[1]), np.float32)
    for part, found in zip(parts, directions, strict=True):
        rows = principal_directions(part, most)
        found[: len(rows)] = rows
    return lambda q: closeness(q, directions)


MEASURES: dict[str, Measure] = {
    "softmax score": softmax_score,
    "energy": energy,
    "Mahalanobis": mahalanobis,
    "relative Mahalanobis": lambda x, y: mahalanobis(x, y, relative=True),
    "fifth neighbour (keeps all photos)": neighbours,
    "cosine to class means": class_means,
    "residual of all, centred": residual,
    "residual of all": lambda x, y: residual(x, y, centred=False),
    "residual of each class": class_subspaces,
}


def train_head(x: Array, y: Array, vx: Array, vy: Array, seed: int) -> tuple[Head, float]:
    """Train a head as `finetune` does; return it and its temperature."""
    recipe = HeadRecipe(classes=int(y.max()) + 1, seed=seed)
    head, _ = fit_head(recipe, FixedFeatures(x, y), FixedFeatures(vx, vy))
    return head, fit_temperature(head.logits(vx), vy)


def read(model: Model, folder: Path, like: Path | None = None) -> tuple[Array, list[str]]:
    """Return the features of a folder's photos, and the class folder of each."""
    with tempfile.TemporaryDirectory() as scratch:
        shown = folder if like is None else _brought_to(folder, like, Path(scratch))
        rows = [row for row in features(walk(str(shown)), model) if row.features is not None]
    return np.stack([row.features for row in rows]), [row.label for row in rows]


def _brought_to(folder: Path, like: Path, scratch: Path) -> Path:
    """Copy photos in the size and compression of one of another folder."""
    with Image.open(like) as pattern:
        size, tables = pattern.size, getattr(pattern, "quantization", None)
    for position, source in enumerate(walk(str(folder))):
        with Image.open(io.BytesIO(source.read())) as image:
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            square = image.convert("RGBA").crop((left, top, left + side, top + side))
            small = square.resize(size, Image.Resampling.BICUBIC)
            white = Image.new("RGBA", size, "white")
            white.alpha_composite(small)
            white.convert("RGB").save(scratch / f"{position:05}.jpg", qtables=tables)
    return scratch


def compare(
    known: tuple[Array, Array], test: tuple[Array, Array], others: dict[str, Array], seeds: int
) -> Iterator[str]:
    """Yield the rows of the table of measures, as Markdown."""
    yield f"| measure | right ones unknown | {' | '.join(others)} |"
    yield f"|---{'|---' * (len(others) + 1)}|"
    x, y = known
    for name, measure in MEASURES.items():
        lost, found = [], {other: [] for other in others}
        for seed in range(seeds):
            learned, aside = stratified_split([str(c) for c in y], (), 0.2, seed)
            head, _ = train_head(x[learned], y[learned], x[aside], y[aside], seed)
            score = measure(x[learned], y[learned])
            right = head.logits(x[aside]).argmax(axis=1) == y[aside]
            limits = np.sort(score(x[aside][right]))
            shown = score(test[0][head.logits(test[0]).argmax(axis=1) == test[1]])

            def known_part(values: Array, limits: Array = limits) -> float:
                return float(np.mean(np.searchsorted(limits, values) / len(limits) >= 0.01))

            lost.append(1 - known_part(shown))
            for other, rows in others.items():
                values = score(rows)
                at = float(np.mean(values >= np.quantile(shown, _LOST)))
                found[other].append((known_part(values), at, area_under_roc(shown, values)))
        cells = [
            "{:.1%} ({:.1%}), {:.3f}".format(*np.mean(values, axis=0)) for values in found.values()
        ]
        yield f"| {name} | {np.mean(lost):.1%} | {' | '.join(cells)} |"


def calibrated(known: tuple[Array, Array], test: tuple[Array, Array], seeds: int) -> Iterator[str]:
    """Yield accuracy, log loss and ECE on the test photos before and after the temperature."""
    yield "| seed | accuracy | log loss before, after | ECE before, after | temperature |"
    yield "|---|---|---|---|---|"
    (x, y), (tx, ty) = known, test
    for seed in range(seeds):
        learned, aside = stratified_split([str(c) for c in y], (), 0.2, seed)
        head, temperature = train_head(x[learned], y[learned], x[aside], y[aside], seed)
        plain, tempered = head.logits(tx), head.tempered(temperature).logits(tx)
        right = plain.argmax(axis=1) == ty
        errors = [
            expected_calibration_error(calibration(softmax(logits).max(axis=1), right))
            for logits in (plain, tempered)
        ]
        yield (
            f"| {seed} | {right.mean():.1%} | {log_loss(plain, ty):.3f}, "
            f"{log_loss(tempered, ty):.3f} | {errors[0]:.3f}, {errors[1]:.3f} | {temperature:.2f} |"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("known", type=Path)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--unfamiliar", type=Path, nargs="+", default=[])
    parser.add_argument("--as-known", action="store_true")
    parser.add_argument("--model", default="efficientnet-lite0")
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    model = load_model(chosen.model)
    rows, names = read(model, chosen.known)
    labels = sorted(set(names))
    known = rows, np.array([labels.index(name) for name in names])
    rows, names = read(model, chosen.test)
    test = rows, np.array([labels.index(name) for name in names])
    like = Path(next(walk(str(chosen.known))).name) if chosen.as_known else None
    others = {folder.name: read(model, folder, like)[0] for folder in chosen.unfamiliar}
    if others:
        print("of each set: called known (at 3% of the right ones unknown), area under ROC\n")
        print(*compare(known, test, others, chosen.seeds), sep="\n", end="\n\n")
    print(*calibrated(known, test, chosen.seeds), sep="\n")


if __name__ == "__main__":
    main()
