"""Networks that are only trained from scratch: no weights are published for them."""

from __future__ import annotations

from collections.abc import Mapping

from imgcls.core.models.spec import ModelSpec, PublishedWeights
from imgcls.core.models.table import MODELS
from imgcls.core.pixels.preprocessing import Preprocessing

_NONE = PublishedWeights(url="", checksum="", megabytes=0)

# Rows as in MODELS, but not named models: `finetune -m` takes them, and a file that it wrote.
SCRATCH_MODELS: Mapping[str, ModelSpec] = {
    "simple-cnn": ModelSpec(
        builder="SimpleCNN",
        preprocessing=Preprocessing(128, 128, "tf"),
        cam_layer="conv3",
        weights=_NONE,
        parameters=2_125_920,  # up to the hidden layer of its head
        top1=None,
        paper="https://keras.io/examples/vision/image_classification_from_scratch/",
        licence="MIT",
        linear_head=False,
        features_layer="features",
    )
}

# Every network that a model file may be made of.
BACKBONES: Mapping[str, ModelSpec] = {**MODELS, **SCRATCH_MODELS}
