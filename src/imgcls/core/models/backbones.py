"""Every network that a model file may be made of: named models, and those trained from scratch."""

from __future__ import annotations

from collections.abc import Mapping

from imgcls.core.models.spec import NOT_PUBLISHED, ModelSpec
from imgcls.core.models.table import MODELS
from imgcls.core.pixels.preprocessing import Preprocessing

# Rows as in MODELS, but without weights, so that no command but `finetune -m` takes their names.
SCRATCH_MODELS: Mapping[str, ModelSpec] = {
    "simple-cnn": ModelSpec(
        builder="SimpleCNN",
        preprocessing=Preprocessing(128, 128, "tf"),
        cam_layer="conv3",
        weights=NOT_PUBLISHED,
        parameters=2_125_920,  # up to the hidden layer of its head
        top1=None,
        paper="https://keras.io/examples/vision/image_classification_from_scratch/",
        licence="MIT",
        linear_head=False,
        features_layer="pool3",
        flat_features=True,
        ends_in_features=True,
        least_size=8,
    )
}

BACKBONES: Mapping[str, ModelSpec] = {**MODELS, **SCRATCH_MODELS}
