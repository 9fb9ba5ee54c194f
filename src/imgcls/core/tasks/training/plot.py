"""The learning curves of a training as a picture: a panel for loss and one for accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgcls.core.files import atomic_writer
from imgcls.core.tasks.training.history import Epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Panel → the figures of an epoch that it shows, of training and of validation.
_PANELS: dict[str, tuple[Callable[[Epoch], float | None], Callable[[Epoch], float]]] = {
    "loss": (lambda epoch: epoch.loss, lambda epoch: epoch.val_loss),
    "accuracy": (lambda epoch: epoch.accuracy, lambda epoch: epoch.val_accuracy),
}
_TICKS = 10  # of all stages together, about
_COLORS = {"training": "tab:blue", "validation": "tab:orange", "kept": "tab:green"}


def write_plot(path: Path, epochs: Sequence[Epoch], kept: Epoch) -> None:
    """Draw the learning curves as a PNG.

    The epochs stand side by side, counted in each stage as the log and the table do.

    Args:
        path: of the picture.
        epochs: the history.
        kept: the epoch that the model is of, which is marked.

    Raises:
        OutputError: it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    stages = [list(group) for _, group in groupby(epochs, key=lambda epoch: epoch.stage)]
    for axes, title in zip(figure.subplots(1, 2), _PANELS, strict=True):
        _draw_curves(axes, title, stages)
        _mark_stages(axes, stages)
        _mark_kept(axes, title, epochs, kept)
        axes.set(ylabel=title, xlabel="epoch of the stage")
        axes.grid(axis="y", color="0.9")
        if title == "accuracy":
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.4g}%")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    with atomic_writer(path) as file:
        figure.savefig(file, format="png", metadata={"Software": "imgcls"})


def _draw_curves(axes: Axes, title: str, stages: Sequence[Sequence[Epoch]]) -> None:
    """Draw each stage by itself: between two, the training goes back to the best epoch."""
    start = 0
    for stage in stages:
        positions = range(start, start + len(stage))
        for name, figure in zip(("training", "validation"), _PANELS[title], strict=True):
            values = [_value(title, figure(epoch)) for epoch in stage]
            label = name if start == 0 else None
            axes.plot(positions, values, ".-", color=_COLORS[name], label=label)
        start += len(stage)


def _value(title: str, figure: float | None) -> float:
    if figure is None:
        return float("nan")  # which is left out of a curve
    return 100 * figure if title == "accuracy" else figure


def _mark_stages(axes: Axes, stages: Sequence[Sequence[Epoch]]) -> None:
    """Name the stages above the panel, part them by lines and number their epochs."""
    count = sum(map(len, stages))
    step = max(1, round(count / _TICKS))
    ticks: list[tuple[int, int]] = []
    start = 0
    for index, stage in enumerate(stages):
        for place, epoch in enumerate(stage):
            if epoch.epoch % step == 0 or place == 0:
                if ticks and start + place - ticks[-1][0] < count / _TICKS / 2:
                    ticks.pop()  # the first of a stage is worth more than the last of another
                ticks.append((start + place, epoch.epoch))
        if index:
            axes.axvline(start - 0.5, color="0.6", linewidth=1, linestyle=":")
        if len(stages) > 1:
            _name_stage(axes, stage[0].stage, index, start, last=index == len(stages) - 1)
        start += len(stage)
    axes.set_xticks([position for position, _ in ticks], [str(number) for _, number in ticks])
    axes.set_xlim(-0.5, count - 0.5)


def _name_stage(axes: Axes, name: str, index: int, start: int, *, last: bool) -> None:
    """Write a stage's name above it; two rows, so that a short stage has room for its own."""
    at_end: dict[str, Any] = {"xy": (1, 1), "xycoords": "axes fraction", "ha": "right"}
    at_start: dict[str, Any] = {
        "xy": (start - 0.5, 1),
        "xycoords": ("data", "axes fraction"),
        "ha": "left",
    }
    where = at_end if last else at_start
    offset = (0, 3 + 12 * (index % 2))
    axes.annotate(name, **where, xytext=offset, textcoords="offset points", color="0.3")


def _mark_kept(axes: Axes, title: str, epochs: Sequence[Epoch], kept: Epoch) -> None:
    position = epochs.index(kept)
    value = _value(title, _PANELS[title][1](kept))
    axes.plot(
        [position],
        [value],
        "o",
        color=_COLORS["kept"],
        markersize=11,
        fillstyle="none",
        markeredgewidth=2,
        clip_on=False,
        label=f"kept: {kept.in_words()}",
    )
