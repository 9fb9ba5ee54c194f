"""Heatmaps of described networks: the gradient of a place is the head's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.core.engines.keras_engine import keras_model
from imgcls.core.engines.model import load_model
from imgcls.core.keras.gradients import Gradients
from imgcls.core.models.head import Head
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.tasks.heatmap.explain import explain
from imgcls.core.tasks.heatmap.explanation import Explanation
from imgcls.core.tasks.heatmap.method_inputs import MethodInputs, forward_pass, needs_keras
from imgcls.core.tasks.heatmap.methods import CAM_METHODS
from imgcls.core.tasks.heatmap.upsample import upsample
from tests.core.engines.test_described import FLAT, LABELS, POOLED, by_hand, head, weights, write


def turned(top: Head) -> Head:
    """Return a head for which what counted against a class counts for it."""
    ((kernel, bias),) = top.layers
    return Head(((-kernel, bias),))


@pytest.mark.parametrize(("described", "top"), [(POOLED, turned(head(5))), (FLAT, head(180))])
def test_gradcam(tmp_path: Path, described: NetworkDescription, top: Head) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    model = load_model(str(write(tmp_path / "m.safetensors", described, top)))
    activations = by_hand(pixels[np.newaxis].astype(np.float32), weights(described))[0]
    evidence = 0
    for column, label in enumerate(LABELS):
        (answer,) = explain(tmp_path / "picture.png", model, class_name=label)
        assert isinstance(answer, Explanation)
        gradients = top.layers[0][0][:, column]
        importance = gradients if described is POOLED else gradients.reshape(36, 5).sum(axis=0)
        cam = np.maximum(activations @ importance, 0)
        evidence += cam.any()
        expected = upsample((cam / max(cam.max(), 1e-9)).astype(np.float32), 16, 16)
        np.testing.assert_allclose(answer.cam, expected, atol=1e-4)
        assert answer.layer == "conv2"
    assert evidence


def test_on_all_places_the_gradient_is_the_head_s_own(tmp_path: Path) -> None:
    """What is worked out without Keras is what Keras says, with a hidden layer too."""
    random = np.random.default_rng(3)
    hidden = random.normal(size=(180, 7)).astype(np.float32), np.zeros(7, np.float32)
    top = Head((hidden, head(7).layers[0]))
    model = load_model(str(write(tmp_path / "m.safetensors", FLAT, top)), engine="keras")
    assert not needs_keras(model, CAM_METHODS["gradcam"], None)
    image = random.integers(0, 256, (16, 16, 3)).astype(np.float32)
    direction = np.array([1, -1, 0], np.float32)
    forward = forward_pass(model, image, None)
    known = Gradients(keras_model(model.engine, model.network), model.network.spec, model.head)
    ours, theirs = (
        MethodInputs(model, model.preprocessing, forward, direction, keras)
        for keras in (None, known)
    )
    np.testing.assert_allclose(ours.gradients, theirs.gradients, atol=1e-4)
    assert ours.gradients.std(axis=(0, 1)).min() > 0  # each place has its own
    np.testing.assert_allclose(ours.ablated_logits(), theirs.ablated_logits(), rtol=1e-3)
