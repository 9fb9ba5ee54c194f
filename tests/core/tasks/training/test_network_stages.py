"""Networks that are trained themselves; whole trainings are in test_finetune.py."""

from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.errors import UsageError
from imgcls.core.models.backbones import SCRATCH_MODELS
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.tasks.training.network_stages import images_of, scratch_spec
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.tasks.training.selection import LabelledImages


def test_a_network_from_scratch_is_as_the_options_say() -> None:
    plain = SCRATCH_MODELS["simple-cnn"]
    assert scratch_spec(FinetuneOptions(model="simple-cnn")) == plain
    options = FinetuneOptions(model="simple-cnn", size=64, resize="pad", interpolation="nearest")
    found = scratch_spec(options).preprocessing
    assert (found.size, found.resize, found.interpolation) == (64, "pad", "nearest")
    assert found.scaling == plain.preprocessing.scaling


def test_a_size_that_its_layers_cannot_have() -> None:
    with pytest.raises(UsageError):
        scratch_spec(FinetuneOptions(model="simple-cnn", size=1))


def test_images_are_changed_as_the_options_say() -> None:
    side = LabelledImages((), np.zeros(0, np.int64), ())
    options = FinetuneOptions(augment="light", seed=3)
    images = images_of(options, side, Preprocessing(16, 18, "tf"))
    assert images.augmentation == options.augmentation is not None
    assert (images.seed, images.preprocessing.size) == (3, 16)
