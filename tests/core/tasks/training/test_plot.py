"""What stands in the picture of a training, read from matplotlib before it becomes pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.plot import write_plot

EPOCHS = [
    *(Epoch("features", n, 1 / n, 1 - 0.5 / n, 1.2 / n, 1 - 0.6 / n, 1.0) for n in range(1, 6)),
    Epoch("fine-tuning", 0, None, None, 0.24, 0.88, 1.0),
    Epoch("fine-tuning", 1, 0.3, 0.8, 0.2, 0.9, 1.0),
]


@pytest.fixture
def panels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Draw a training; return the two panels."""
    from matplotlib.figure import Figure

    figures: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, *arguments: Any, **how: Any) -> None:
        figures.append(figure)
        save(figure, *arguments, **how)

    monkeypatch.setattr(Figure, "savefig", keep)
    write_plot(tmp_path / "h.png", EPOCHS, EPOCHS[-1])
    with Image.open(tmp_path / "h.png") as image:
        assert image.width > 900
        assert image.info["Software"] == "imgcls"
    return figures[0].axes


def test_a_panel_for_loss_and_one_for_accuracy(panels: Any) -> None:
    loss, accuracy = panels
    assert [panel.get_ylabel() for panel in panels] == ["loss", "accuracy"]
    training, validation, tuned, tuned_validation, *_ = loss.lines
    np.testing.assert_allclose(training.get_ydata(), [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])
    np.testing.assert_allclose(validation.get_ydata(), [1.2, 0.6, 0.4, 0.3, 0.24])
    np.testing.assert_allclose(tuned.get_ydata(), [np.nan, 0.3])
    np.testing.assert_allclose(tuned_validation.get_ydata(), [0.24, 0.2])
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [50, 75, 250 / 3, 87.5, 90])


def test_epochs_are_counted_as_in_the_table(panels: Any) -> None:
    for panel in panels:
        assert panel.get_xticks().tolist() == list(range(7))
        assert [tick.get_text() for tick in panel.get_xticklabels()] == list("1234501")
        assert [text.get_text() for text in panel.texts] == ["features", "fine-tuning"]


def test_the_kept_epoch_is_marked(panels: Any) -> None:
    for panel, value in zip(panels, (0.2, 90), strict=True):
        mark = panel.lines[-1]
        assert mark.get_label() == "kept: epoch 1 of the fine-tuning stage"
        assert (list(mark.get_xdata()), list(mark.get_ydata())) == ([6], [value])
