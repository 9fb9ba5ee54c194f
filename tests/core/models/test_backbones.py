from __future__ import annotations

from imgcls.core.models.backbones import BACKBONES, SCRATCH_MODELS
from imgcls.core.models.spec import NOT_PUBLISHED
from imgcls.core.models.table import MODELS


def test_a_model_file_may_be_made_of_a_named_model_or_one_from_scratch() -> None:
    assert list(BACKBONES) == [*MODELS, "simple-cnn"]
    assert all(BACKBONES[name] is spec for name, spec in MODELS.items())


def test_only_networks_from_scratch_have_no_weights_to_start_from() -> None:
    without = {name for name, spec in BACKBONES.items() if spec.weights == NOT_PUBLISHED}
    assert without == set(SCRATCH_MODELS)
