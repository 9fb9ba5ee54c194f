"""What methods ask of a model: the default one, run for real."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imgcls.core.arrays import softmax
from imgcls.core.engines.model import Model, load_model
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.heatmap.method_inputs import (
    MethodInputs,
    blurred,
    forward_pass,
    grey_pixel,
    needs_keras,
    run_many,
    run_scores,
)
from imgcls.core.tasks.heatmap.methods import CAM_METHODS

CLASS = 282


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture
def inputs(model: Model, samples: Path) -> MethodInputs:
    fitted = load_image(Source(str(samples / "cat.jpg")), model.preprocessing)
    image = model.preprocessing.scale(fitted.pixels)
    direction = np.zeros(len(model.labels), np.float32)
    direction[CLASS] = 1
    forward = forward_pass(model, image, None)
    return MethodInputs(model, model.preprocessing, forward, direction, None)


def test_only_some_methods_need_keras_where_one_layer_follows_the_pooling(model: Model) -> None:
    slow = [name for name, method in CAM_METHODS.items() if needs_keras(model, method, None)]
    assert slow == ["integrated-gradients", "smoothgrad"]
    assert needs_keras(model, CAM_METHODS["activation"], "stem_conv")
    dense = model.network.spec._replace(linear_head=False)
    other = replace(model, network=replace(model.network, spec=dense))
    assert needs_keras(other, CAM_METHODS["gradcam"], None)
    assert not needs_keras(other, CAM_METHODS["scorecam"], None)


def test_shapes(inputs: MethodInputs) -> None:
    assert inputs.image.shape == (224, 224, 3)
    assert inputs.activations.shape == inputs.gradients.shape == (7, 7, 1280)
    assert inputs.ablated_logits().shape == (1280,)


def test_a_full_mask_changes_nothing_and_an_empty_one_leaves_grey(inputs: MethodInputs) -> None:
    masks = [np.full((2, 2), value, np.float32) for value in (1, 0)]
    seen, hidden = inputs.masked_logits(masks)
    assert seen == pytest.approx(inputs.logit, abs=1e-4)
    grey = np.broadcast_to(inputs.grey, (224, 224, 3))
    assert hidden == pytest.approx(run_many(inputs.model, [grey])[0, CLASS], abs=1e-4)


def test_scores_of_many(inputs: MethodInputs) -> None:
    one = softmax(inputs.forward.logits)[CLASS]
    scores = run_scores(inputs.model, [inputs.image] * 9, CLASS)
    np.testing.assert_allclose(scores, np.full(9, one), rtol=1e-4)


def test_grey_is_the_middle_of_the_scale(model: Model) -> None:
    np.testing.assert_allclose(grey_pixel(model.preprocessing), [1 / 128] * 3)


def test_blurring_keeps_the_mean_and_not_the_detail() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    soft = blurred(pixels)
    assert soft.shape == pixels.shape and soft.std() < pixels.std() / 5
    assert soft.mean() == pytest.approx(pixels.mean(), abs=2)
