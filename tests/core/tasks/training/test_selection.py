from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.engines.model import Model, load_model
from imgcls.core.errors import ImageError, UsageError
from imgcls.core.tasks.labelled.dataset import read_dataset
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.parts import chosen_parts
from imgcls.core.tasks.training.selection import Selection, select_images


def selected(folder: Path, options: FinetuneOptions, model: Model | None = None) -> Selection:
    return select_images(chosen_parts(read_dataset(folder), options), options, model)


def test_two_sides(two_classes: Path) -> None:
    selection = selected(two_classes, FinetuneOptions(val_split=0.25))
    assert selection.labels == ("squares", "stripes")
    assert selection.counts == {"squares": 9, "stripes": 9}
    assert selection.validation.columns.tolist() == [0, 0, 0, 1, 1, 1]
    sides = (selection.training, selection.validation)
    names = [source.name for side in sides for source in side.sources]
    assert sorted(names) == sorted(map(str, two_classes.rglob("*.png")))
    again = selected(two_classes, FinetuneOptions(val_split=0.25))
    assert again.digest == selection.digest
    other = selected(two_classes, FinetuneOptions(val_split=0.25, seed=1))
    assert other.digest != selection.digest
    np.testing.assert_array_equal(selection.class_weights(), [1, 1])


def test_features_computed_meanwhile_change_nothing(two_classes: Path) -> None:
    alone = selected(two_classes, FinetuneOptions())
    assert selected(two_classes, FinetuneOptions(), load_model()).digest == alone.digest


def test_unreadable_images(two_classes: Path) -> None:
    (two_classes / "stripes" / "000.png").write_bytes(b"\x89PNG")
    with pytest.raises(ImageError, match=r"1 of 24 images cannot be read \(000.png\)"):
        selected(two_classes, FinetuneOptions())
    selection = selected(two_classes, FinetuneOptions(skip_bad=True))
    assert selection.unreadable == 1
    assert sum(len(side.sources) for side in (selection.training, selection.validation)) == 23


def test_only_one_class_has_images(tmp_path: Path, draw: Any) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
    with pytest.raises(UsageError, match="no class has images to learn"):
        selected(tmp_path, FinetuneOptions())
    draw("squares", 1).save(tmp_path / "a" / "1.png")
    with pytest.raises(UsageError, match=r"only one class has images \(a\) to learn"):
        selected(tmp_path, FinetuneOptions())


def test_folds_learn_all_images_and_keep_copies_together(two_classes: Path) -> None:
    shutil.copy(two_classes / "squares" / "000.png", two_classes / "squares" / "zz.png")
    selection = selected(two_classes, FinetuneOptions(folds=4))
    assert len(selection.training.sources) == 25
    assert selection.fold_of is not None
    names = [os.path.basename(source.name) for source in selection.training.sources]
    copies = [index for index in range(13) if names[index] in ("000.png", "zz.png")]
    assert len(set(selection.fold_of[copies].tolist())) == 1
    assert sorted(set(selection.fold_of.tolist())) == [0, 1, 2, 3]


def test_more_folds_than_images_are_refused(two_classes: Path) -> None:
    with pytest.raises(UsageError, match=r"24 images cannot make 30 `folds`; add images$"):
        selected(two_classes, FinetuneOptions(folds=30))


def test_a_class_without_a_validation_image_is_named(
    two_classes: Path, draw: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (two_classes / "rare").mkdir()
    draw("squares", 77).save(two_classes / "rare" / "1.png")
    selected(two_classes, FinetuneOptions())
    said = "no validation image shows rare: what is said of accuracy says nothing of it; add images"
    assert said in caplog.messages


def test_what_an_audit_would_find_is_said_in_a_sentence(
    two_classes: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(two_classes / "squares" / "001.png", two_classes / "stripes" / "copy.png")
    selected(two_classes, FinetuneOptions())
    found = "1 image appears under more than one label and 2 classes have fewer than 20 images"
    assert f"{found}; run imgcls audit {two_classes} for details" in caplog.messages
