from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core import progress as progress_module
from imgcls.core.errors import ModelError, UsageError
from imgcls.core.models.head import Standardization
from imgcls.core.tasks.training.batches import FixedFeatures
from imgcls.core.tasks.training.checkpoints import Checkpoints
from imgcls.core.tasks.training.head_learner import HeadLearner, fresh_head
from imgcls.core.tasks.training.history import Epoch
from imgcls.core.tasks.training.loop import Loop
from imgcls.core.tasks.training.progress import LEAST_GAIN, Progress, Stage

RANDOM = np.random.default_rng(3)
FEATURES = RANDOM.normal(size=(60, 8)).astype(np.float32)
COLUMNS = (FEATURES[:, 0] + RANDOM.normal(size=60) * 0.8 > 0).astype(np.int64)
TRAINING = FixedFeatures(FEATURES[:40], COLUMNS[:40])
VALIDATION = FixedFeatures(FEATURES[40:], COLUMNS[40:])
STAGE = Stage("features", 6, 0.02, 8)


class Narrow(HeadLearner):
    """Runs out of memory on more than four features at once."""

    def learn(self, inputs: Any, columns: Any, weights: Any) -> Any:
        if len(inputs) > self.limit:
            raise MemoryError
        return super().learn(inputs, columns, weights)

    def logits(self, inputs: Any) -> Any:
        if len(inputs) > self.limit:
            raise MemoryError
        return super().logits(inputs)

    limit = 4


def learner(kind: type[HeadLearner] = HeadLearner) -> HeadLearner:
    head = fresh_head((8, 16, 2), 0)
    return kind(head, Standardization.of(FEATURES), learning_rate=0.02, dropout=0.5, seed=0)


def loop(folder: Path, **how: Any) -> Loop:
    options: dict[str, Any] = {"patience": 99, "max_seconds": None, "seed": 0, **how}
    return Loop(Progress(), Checkpoints(folder, {}), np.ones(2, np.float32), **options)


def course(history: list[Epoch]) -> list[tuple[Any, ...]]:
    return [(e.epoch, e.loss, e.accuracy, e.val_loss, e.val_accuracy) for e in history]


def test_the_best_epoch_is_kept(tmp_path: Path) -> None:
    run, one = loop(tmp_path / "c"), learner()
    best = run.run(one, Stage("features", 30, 0.02, 8), TRAINING, VALIDATION)
    assert best.val_loss == min(epoch.val_loss for epoch in run.progress.history)
    assert best.epoch < 30
    assert run._evaluate(one, VALIDATION) == pytest.approx((best.val_loss, best.val_accuracy))


def test_patience(tmp_path: Path) -> None:
    run = loop(tmp_path / "c", patience=3)
    best = run.run(learner(), Stage("features", 500, 0.05, 8), TRAINING, VALIDATION)
    losses = [epoch.val_loss for epoch in run.progress.history]
    assert best.val_loss == min(losses)
    assert min(losses[-3:]) > min(losses[:-3]) - LEAST_GAIN
    assert 4 < len(losses) < 100


def test_a_stage_that_continues_may_keep_its_beginning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    caplog.set_level(logging.INFO, "imgcls")
    run = loop(tmp_path / "c", patience=2)
    run.progress.history = [Epoch("features", 5, 0.1, 1.0, 0.1, 1.0, 1.0)]
    one = learner()
    before = one.logits(FEATURES)
    misled = FixedFeatures(FEATURES[:40], 1 - COLUMNS[:40])
    best = run.run(one, Stage("x", 9, 0.02, 8, continues=True), misled, VALIDATION)
    assert (best.epoch, best.loss) == (0, None)
    assert "x found nothing better; kept epoch 5 of the features stage" in caplog.text
    np.testing.assert_array_equal(one.logits(FEATURES), before)
    assert [epoch.epoch for epoch in run.progress.history] == [5, 0, 1, 2]


@pytest.mark.parametrize("killed_after", [1, 2, 5])
def test_resumed_is_as_uninterrupted(tmp_path: Path, killed_after: int) -> None:
    whole = loop(tmp_path / "whole")
    one = learner()
    whole.run(one, STAGE, TRAINING, VALIDATION)
    cut = loop(tmp_path / "cut")
    cut.run(learner(), Stage("features", killed_after, 0.02, 8), TRAINING, VALIDATION)
    again = loop(tmp_path / "cut")
    checkpoint = again.checkpoints.load()
    assert checkpoint is not None
    again.resumed, again.progress = checkpoint, Progress.of(checkpoint.progress)
    other = learner()
    again.run(other, STAGE, TRAINING, VALIDATION)
    assert course(again.progress.history) == course(whole.progress.history)
    np.testing.assert_array_equal(one.logits(FEATURES), other.logits(FEATURES))


def test_batch_is_halved_when_memory_runs_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    narrow = loop(tmp_path / "a")
    narrow.run(learner(Narrow), Stage("features", 3, 0.02, 16), TRAINING, VALIDATION)
    assert "going on with `batch_size` 8" in caplog.text
    assert "going on with `batch_size` 4" in caplog.text
    plain = loop(tmp_path / "b")
    plain.run(learner(), Stage("features", 3, 0.02, 4), TRAINING, VALIDATION)
    assert course(narrow.progress.history) == course(plain.progress.history)


def test_batch_is_halved_in_the_first_evaluation_of_a_continuing_stage(tmp_path: Path) -> None:
    run = loop(tmp_path / "c")
    run.run(learner(Narrow), Stage("x", 1, 0.02, 16, continues=True), TRAINING, VALIDATION)
    assert run.progress.batch_size == 4
    assert [epoch.epoch for epoch in run.progress.history] == [0, 1]


def test_memory_for_not_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Narrow, "limit", 0)
    with pytest.raises(ModelError, match="memory ran out on a single image"):
        loop(tmp_path).run(learner(Narrow), STAGE, TRAINING, VALIDATION)


def test_time_limit(tmp_path: Path) -> None:
    run = loop(tmp_path / "c", max_seconds=1e-9)
    run.run(learner(), STAGE, TRAINING, VALIDATION)
    assert len(run.progress.history) == 1


def test_time_limit_counts_from_the_beginning_of_the_run(tmp_path: Path) -> None:
    run = loop(tmp_path / "c", max_seconds=100, started=time.monotonic() - 101)
    run.run(learner(), STAGE, TRAINING, VALIDATION)
    assert len(run.progress.history) == 1


def test_time_limit_leaves_what_is_needed_afterwards(tmp_path: Path) -> None:
    run = loop(tmp_path / "c", max_seconds=100, reserve=100.0)
    run.run(learner(), STAGE, TRAINING, VALIDATION)
    assert len(run.progress.history) == 1


def test_seconds_left_are_said_only_where_there_are_some(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    caplog.set_level(logging.INFO, "imgcls")
    loop(tmp_path / "c").run(learner(), STAGE, TRAINING, VALIDATION)
    assert "features 6/6: loss " in caplog.text and " left" not in caplog.text


def test_every_image_is_shown_with_loss_accuracy_and_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, int | None, int, list[str]]] = []

    def show(items: Any, unit: str, total: int | None = None, **how: Any) -> Any:
        done, said = 0, []
        for item in items:
            done += how["amount"](item)
            yield item
            said.append(how["status"]() if how["status"] else "")
        shown.append((f"{how['title']}, {unit}", total, done, said))

    monkeypatch.setattr(progress_module, "_shows", [show])
    run = loop(tmp_path / "c")
    run.run(learner(), Stage("x", 1, 0.02, 16, continues=True), TRAINING, VALIDATION)
    begun, learned, validated = shown
    assert begun[:3] == ("x 0/1, image", 20, 20)
    assert validated[:3] == ("x 1/1 validation, image", 20, 20)
    assert learned[:3] == ("x 1/1, image", 40, 40)
    loss, accuracy = run.progress.history[1].loss, run.progress.history[1].accuracy
    assert learned[3][-1] == f"loss {loss:.4f}, accuracy {accuracy:.1%}, less than 1 s left"
    assert len(learned[3]) == 3


@pytest.mark.parametrize("spoiled", ["now.weight.0", "best.weight.0"])
def test_checkpoint_of_another_shape(tmp_path: Path, spoiled: str) -> None:
    loop(tmp_path / "c").run(learner(), STAGE, TRAINING, VALIDATION)
    again = loop(tmp_path / "c")
    checkpoint = again.checkpoints.load()
    assert checkpoint is not None
    checkpoint.arrays[spoiled] = np.zeros(3, np.float32)
    again.resumed = checkpoint
    with pytest.raises(UsageError, match="does not hold the state of this training"):
        again.run(learner(), STAGE, TRAINING, VALIDATION)


def test_loss_that_is_no_number(tmp_path: Path) -> None:
    broken = FixedFeatures(np.full_like(FEATURES, np.nan), COLUMNS)
    with pytest.raises(ModelError, match="lower `learning_rate`"):
        loop(tmp_path).run(learner(), STAGE, broken, VALIDATION)
