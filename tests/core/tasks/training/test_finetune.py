"""What a training takes and what comes of it, by the Python API."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pytest

import imgcls
from imgcls.core.errors import ImageError, ModelError, OutputError, UsageError, WeightsError
from imgcls.core.models.model_file import read_model_file
from imgcls.core.output_file import only_writer
from imgcls.core.tasks.training.checkpoints import Checkpoint, Checkpoints

CHECKPOINT = Checkpoint({}, {"a": np.zeros(1, np.float32)})


def write_table(folder: Path) -> Path:
    """List the images of class folders in a table beside them, in the folders' order."""
    paths = sorted(folder.glob("*/*.png"))
    lines = (f"{os.path.relpath(path, folder.parent)},{path.parent.name}" for path in paths)
    table = folder.parent / "set.csv"
    table.write_text("\n".join(["path,label", *lines]))
    return table


def test_a_table_is_as_good_as_its_folder(
    two_classes: Path, tmp_path: Path, compiled_default: Path
) -> None:
    table = write_table(two_classes)
    of_folder = imgcls.finetune(two_classes, tmp_path / "folder.safetensors", epochs=2)
    file = read_model_file(of_folder.path)
    assert (of_folder.backbone, file.backbone) == ("efficientnet-lite0",) * 2
    assert file.metrics["val_accuracy"] == of_folder.val_accuracy
    assert [epoch.epoch for epoch in of_folder.history] == [1, 2] and of_folder.unreadable == 0
    assert file.training["classes"] == dict(of_folder.classes)
    assert not (tmp_path / "folder.safetensors.checkpoints").exists()
    of_table = imgcls.finetune(table, tmp_path / "table.safetensors", epochs=2)
    assert of_table.classes == of_folder.classes == {"squares": 10, "stripes": 10}
    files = [tmp_path / f"{name}.safetensors" for name in ("folder", "table")]
    assert files[0].read_bytes() == files[1].read_bytes()
    evaluations = [imgcls.evaluate(data, str(files[0])) for data in (two_classes, table)]
    np.testing.assert_array_equal(*(one.confusion_matrix for one in evaluations))
    assert evaluations[1].images == 24
    rows = [list(imgcls.features(data)) for data in (two_classes, table)]
    assert [row.label for row in rows[1]] == [row.label for row in rows[0]]
    assert [row.path for row in rows[1]] == [row.path for row in rows[0]]
    for one, other in zip(*rows, strict=True):
        np.testing.assert_array_equal(one.features, other.features)

    with open(table, "a") as file:
        file.write("\ngone.png,stripes\n")
    with pytest.raises(ImageError, match=r"1 of 25 images cannot be read \(gone.png\)"):
        imgcls.finetune(table, tmp_path / "new.safetensors")
    (*_, last) = imgcls.features(table)
    assert (last.label, last.error) == ("stripes", "no such file")
    assert [one.error for one in imgcls.evaluate(table, str(files[0])).errors] == ["no such file"]


def test_the_backbone_is_looked_for_before_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))  # an empty one; Keras is not imported here
    output, folder = tmp_path / "m.safetensors", tmp_path / "empty"
    folder.mkdir()
    with pytest.raises(ModelError, match=r"^vgg17: no such model; did you mean vgg19 or "):
        imgcls.finetune(folder, output, "vgg17")
    with pytest.raises(WeightsError, match=r"^vgg16: its weights are not here "):
        imgcls.finetune(folder, output, "vgg16")
    with pytest.raises(WeightsError, match=r"^none\.h5: no such weights file$"):
        imgcls.finetune(folder, output, "vgg16", weights="none.h5")
    for model in ("simple-cnn", "efficientnet-lite0"):
        with pytest.raises(UsageError, match=r"empty: "):
            imgcls.finetune(folder, output, model)


def test_what_is_there_is_refused_before_anything_else(tmp_path: Path) -> None:
    output, folder = tmp_path / "m.safetensors", tmp_path / "gone"
    checkpoints = Checkpoints(tmp_path / "m.safetensors.checkpoints", {})
    checkpoints.save(CHECKPOINT)
    with pytest.raises(OutputError, match=r"holds the checkpoints of an interrupted training; "):
        imgcls.finetune(folder, output, "vgg17")
    folder.mkdir()
    for wanted in ({"resume": True}, {"force": True}):
        with pytest.raises(ModelError, match=r"^vgg17: no such model"):
            imgcls.finetune(folder, output, "vgg17", **wanted)
    assert checkpoints.exist()
    checkpoints.delete()
    folder.rmdir()
    output.write_bytes(b"")
    with pytest.raises(OutputError, match=r"^.*m\.safetensors: exists; "):
        imgcls.finetune(folder, output, "vgg17")


def test_one_training_at_a_time_writes_a_model(tmp_path: Path) -> None:
    """Two that ended together met the files of each other, and one failed after its work."""
    output = tmp_path / "m.safetensors"
    with (
        only_writer(output, "m"),
        pytest.raises(OutputError, match=r"m\.safetensors: another run is writing it; wait for "),
    ):
        imgcls.finetune(tmp_path / "gone", output)
    with pytest.raises(UsageError, match="gone: no such folder"):
        imgcls.finetune(tmp_path / "gone", output)


@pytest.mark.slow
def test_what_found_nothing_better_leaves_a_small_file(
    two_classes: Path,
    tmp_path: Path,
    compiled_default: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    caplog.set_level(logging.INFO, "imgcls")
    path = tmp_path / "m.safetensors"
    # Steps so large that every epoch is worse than what the stage began with.
    result = imgcls.finetune(two_classes, path, unfreeze=2, epochs=2, learning_rate=1.0)
    assert result.kept.stage == "features"
    words = f"epoch {result.kept.epoch} of the features stage"
    assert f"fine-tuning found nothing better; kept {words}" in caplog.text
    assert [epoch.epoch for epoch in result.history if epoch.stage == "fine-tuning"] == [0, 1, 2]
    assert path.stat().st_size < 400_000
    file = read_model_file(path)
    assert file.backbone_weights == "own"
    assert (file.metrics["stage"], file.metrics["epoch"]) == ("features", result.kept.epoch)
    assert result.val_loss == file.metrics["val_loss"]
    alone = imgcls.finetune(two_classes, tmp_path / "alone.safetensors")
    assert alone.kept.epoch == result.kept.epoch
    # But for the temperature, which photos of another number have fitted.
    kernels = [one.head.layers[0][0] for one in (read_model_file(alone.path), file)]
    units = [kernel / np.linalg.norm(kernel) for kernel in kernels]
    np.testing.assert_allclose(*units, rtol=0, atol=1e-6)
