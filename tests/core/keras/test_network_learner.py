from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgcls.core.keras.build import build_network
from imgcls.core.keras.graph import cut_top
from imgcls.core.keras.network_learner import NetworkLearner, fresh_backbone, last_layers
from imgcls.core.keras.stored_backbone import backbone_tensors
from imgcls.core.models.backbones import SCRATCH_MODELS
from imgcls.core.models.head import Head, Standardization
from imgcls.core.models.table import MODELS

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def lite() -> Any:
    spec = MODELS["efficientnet-lite0"]
    return cut_top(build_network(spec), spec)


def learner(backbone: Any, layers: int | None, **how: Any) -> NetworkLearner:
    width = backbone.output.shape[-1]
    random = np.random.default_rng(5)
    kernel = random.normal(0, 0.05, (width, 2)).astype(np.float32)
    options = {"learning_rate": 1e-3, "dropout": 0.0, "seed": 0, **how}
    head = Head(((kernel, np.zeros(2, np.float32)),))
    ones = np.ones(width, np.float32)
    standardization = Standardization(0 * ones, ones)
    return NetworkLearner(backbone, head, standardization, layers=layers, **options)


def test_last_layers_leave_batch_normalization_out(lite: Any) -> None:
    assert [layer.name for layer in last_layers(lite, 3)] == [
        *("block7a_dwconv", "block7a_project_conv", "top_conv"),
    ]
    everything = last_layers(lite, None)
    assert everything == last_layers(lite, 10_000)
    assert everything[0].name == "stem_conv"
    assert not [layer.name for layer in everything if "bn" in layer.name]
    assert last_layers(lite, 0) == []


def test_only_the_last_layers_learn(lite: Any) -> None:
    one = learner(lite, 2)
    before, head = backbone_tensors(lite, MODELS["efficientnet-lite0"]), one.head()
    batch = RANDOM.normal(size=(2, 224, 224, 3)).astype(np.float32)
    one.begin_epoch(1)
    one.learn(batch, np.array([0, 1]), np.ones(2, np.float32))
    after = backbone_tensors(lite, MODELS["efficientnet-lite0"])
    changed = [name for name in before if not np.array_equal(before[name], after[name])]
    kernels = [layer.kernel.shape for layer in last_layers(lite, 2)]
    assert [after[name].shape for name in changed] == [tuple(shape) for shape in kernels]
    assert not np.array_equal(head.layers[0][0], one.head().layers[0][0])


def test_logits_are_those_of_backbone_and_head(lite: Any) -> None:
    one = learner(lite, 1)
    batch = RANDOM.normal(size=(2, 224, 224, 3)).astype(np.float32)
    expected = one.head().logits(np.asarray(lite(batch, training=False)))
    np.testing.assert_allclose(one.logits(batch), expected, atol=1e-5)


def test_same_seed_same_network_and_restored_state_goes_on_the_same() -> None:
    spec = SCRATCH_MODELS["simple-cnn"]
    batch = RANDOM.normal(size=(4, 128, 128, 3)).astype(np.float32)
    columns, weights = np.array([0, 1, 1, 0]), np.ones(4, np.float32)
    one, other = (learner(fresh_backbone(spec, 3), None) for _ in range(2))
    np.testing.assert_array_equal(one.logits(batch), other.logits(batch))
    one.begin_epoch(1)
    one.learn(batch, columns, weights)
    other.restore(one.state())
    for each in (one, other):
        each.begin_epoch(2)
        each.learn(batch, columns, weights)
    np.testing.assert_array_equal(one.logits(batch), other.logits(batch))


def test_scratch_rows_say_what_is_built() -> None:
    for spec in SCRATCH_MODELS.values():
        backbone = fresh_backbone(spec, 0)
        assert backbone.get_layer(spec.cam_layer).output.shape[1:3] == (32, 32)
        width = backbone.output.shape[-1]
        assert width == 16 * 16 * 64
        assert backbone.count_params() + width * 128 + 128 == spec.parameters
