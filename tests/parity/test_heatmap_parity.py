"""Heatmaps against Keras: a GradientTape written out here, and slow, plain references."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.engines.model import Model, load_model
from imgcls.core.models.head import Head
from imgcls.core.models.labels import ClassLabel
from imgcls.core.models.spec import BEFORE_POOLING
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.heatmap.explain import explain, keras_gradients
from imgcls.core.tasks.heatmap.explanation import Explanation
from imgcls.core.tasks.heatmap.method_inputs import MethodInputs, forward_pass, needs_keras
from imgcls.core.tasks.heatmap.methods import CAM_METHODS, combine

CLASS = 282


@cache
def default_model() -> Model:
    return load_model()


@cache
def default_network() -> Any:
    return keras_model(default_model())


def keras_model(model: Model) -> Any:
    from imgcls.core.keras.build import build_weighted

    return build_weighted(model.network)


def random_weights(name: str, folder: Path) -> Path:
    """Write a weights file of seeded random numbers, as the real ones are not here."""
    import keras

    from imgcls.core.keras.build import build_network
    from imgcls.core.models.table import MODELS

    keras.utils.set_random_seed(0)
    path = folder / f"{name}.weights.h5"
    build_network(MODELS[name]).save_weights(path)
    return path


def tape_gradients(network: Any, layer: Any, image: Any, column: int) -> tuple[Any, Any]:
    """Return activations and gradients (h, w, c) as any Keras tutorial computes them."""
    import keras
    import tensorflow as tf

    both = keras.Model(network.inputs, [layer, network.output])
    with tf.GradientTape() as tape:
        activations, logits = both(image[np.newaxis], training=False)
        logit = logits[:, column]
    return activations.numpy()[0], tape.gradient(logit, activations).numpy()[0]


def opened_image(model: Model, path: Path) -> Any:
    fitted = load_image(Source(str(path)), model.preprocessing)
    return model.preprocessing.scale(fitted.pixels)


def inputs_of(model: Model, image: Any, column: int, gradients: Any = None, **chosen: Any) -> Any:
    direction = np.zeros(len(model.labels), np.float32)
    direction[column] = 1
    forward = forward_pass(model, image, gradients if chosen else None)
    return MethodInputs(model, model.preprocessing, forward, direction, gradients)


def one(*arguments: Any, **options: Any) -> Explanation:
    (explanation,) = explain(*arguments, **options)
    assert isinstance(explanation, Explanation)
    return explanation


def laid_over(cam: Any, height: int, width: int) -> Any:
    """Enlarge a map as TensorFlow does, which takes the weights of its cubic from a table."""
    import tensorflow as tf

    seen = tf.image.resize((cam / cam.max())[..., np.newaxis], (height, width), "bicubic")
    return np.clip(seen[..., 0].numpy(), 0, 1)


FROM_A_TABLE = 1e-3  # of 1024 weights


def test_default_heatmap_equals_one_by_hand_from_keras(samples: Path) -> None:

    model = default_model()
    explanation = one(str(samples / "coffee.jpg"), model, class_name=504)
    network = default_network()
    image = opened_image(model, samples / "coffee.jpg")
    activations, gradients = tape_gradients(
        network, network.get_layer("top_activation").output, image, 504
    )
    importance = gradients.mean(axis=(0, 1))  # alpha of the paper's equation 1
    by_hand = np.maximum((activations * importance).sum(axis=-1), 0)  # its equation 2
    # 600×400: the network sees the 350 pixels in the middle.
    expected = np.zeros((400, 600), np.float32)
    expected[25:375, 125:475] = laid_over(by_hand, 350, 350)
    assert explanation.cam.dtype == np.float32
    np.testing.assert_allclose(explanation.cam, expected, atol=FROM_A_TABLE)


@pytest.mark.parametrize(
    "name", ["efficientnet-lite0", pytest.param("resnet50", marks=pytest.mark.slow)]
)
def test_one_forward_pass_gives_the_gradients_of_keras(
    name: str, samples: Path, tmp_path: Path
) -> None:
    weights = None if name == "efficientnet-lite0" else random_weights(name, tmp_path)
    model = load_model(name, weights=weights, engine="litert")
    image = opened_image(model, samples / "cat.jpg")
    network = keras_model(model)
    layer = network.get_layer(model.network.spec.cam_layer).output
    activations, gradients = tape_gradients(network, layer, image, CLASS)
    ours = inputs_of(model, image, CLASS)
    np.testing.assert_allclose(ours.gradients, gradients, atol=1e-4)
    for method in ("gradcam", "gradcam++", "xgradcam", "hirescam", "layercam"):
        assert not needs_keras(model, CAM_METHODS[method], None)
        function = CAM_METHODS[method].function
        expected = combine(function(activations, gradients), activations)
        fast = combine(function(ours.activations, ours.gradients), ours.activations)
        np.testing.assert_allclose(fast, expected, atol=1e-4, err_msg=method)


def test_a_hidden_layer_in_the_head_needs_no_keras_either(samples: Path) -> None:
    import keras
    import tensorflow as tf

    random = np.random.default_rng(0)
    head = Head(
        tuple(
            (random.normal(0, 0.1, shape).astype(np.float32), np.zeros(shape[1], np.float32))
            for shape in ((1280, 16), (16, 3))
        )
    )
    base = default_model()
    labels = tuple(ClassLabel(label, label) for label in "abc")
    model = Model("mine", base.network, base.preprocessing, labels, base.engine, head)
    assert not needs_keras(model, CAM_METHODS["gradcam"], None)
    image = opened_image(model, samples / "cat.jpg")
    network = default_network()
    top = keras.Model(network.inputs, network.get_layer("top_activation").output)
    with tf.GradientTape() as tape:
        activations = top(image[np.newaxis], training=False)
        features = tf.reduce_mean(activations, (1, 2))
        hidden = tf.nn.relu(features @ head.layers[0][0] + head.layers[0][1])
        logit = (hidden @ head.layers[1][0])[:, 1]
    expected = tape.gradient(logit, activations)[0]
    ours = inputs_of(model, image, 1)
    np.testing.assert_allclose(ours.gradients, expected, atol=1e-4)
    assert ours.logit == pytest.approx(float(logit[0]), abs=1e-3)
    # The same from Keras' side, which other layers go through.
    theirs = keras_gradients(model).of_layer(image[np.newaxis], np.array([0, 1, 0], np.float32))
    np.testing.assert_allclose(ours.gradients, theirs, atol=1e-6)
    # And ablation, one channel after the other.
    ablated = ours.ablated_logits()
    for channel in (0, 7, 1279):
        without = features.numpy().copy()
        without[0, channel] = 0
        assert ablated[channel] == pytest.approx(float(head.logits(without)[0, 1]), abs=1e-5)


def test_ablation_without_keras_equals_a_plain_loop(samples: Path) -> None:
    model = default_model()
    image = opened_image(model, samples / "coffee.jpg")
    ours = inputs_of(model, image, CLASS).ablated_logits()
    network = default_network()
    kernel, bias = network.get_layer("predictions").get_weights()
    import keras

    top = keras.Model(network.inputs, network.get_layer("top_activation").output)
    activations = np.asarray(top(image[np.newaxis], training=False))[0]
    assert ours.shape == (1280,)
    for channel in range(0, 1280, 101):
        without = activations.copy()
        without[..., channel] = 0
        logit = without.mean(axis=(0, 1)) @ kernel[:, CLASS] + bias[CLASS]
        assert ours[channel] == pytest.approx(logit, abs=1e-3)


def test_scorecam_equals_a_plain_loop(samples: Path) -> None:
    import tensorflow as tf

    model = default_model()
    image = opened_image(model, samples / "cat.jpg")
    ours = inputs_of(model, image, CLASS)
    varied = np.flatnonzero(np.ptp(ours.activations, axis=(0, 1)))[:6]
    few = ours.activations[..., varied]
    weights = CAM_METHODS["scorecam"].function(few, ours.masked_logits)
    network = default_network()
    logits = []
    grey = model.preprocessing.scale(np.full((1, 1, 3), 128, np.uint8))
    for channel in range(6):
        plane = few[..., channel]
        low, high = plane.min(), plane.max()
        mask = tf.image.resize(((plane - low) / (high - low))[..., np.newaxis], (224, 224))
        masked = image * mask.numpy() + grey * (1 - mask.numpy())
        logits.append(float(network(masked[np.newaxis], training=False)[0, CLASS]))
    powers = np.exp(np.array(logits) - max(logits))
    np.testing.assert_allclose(weights, powers / powers.sum(), atol=1e-4)


def test_another_layer_goes_through_keras(samples: Path) -> None:
    model = default_model()
    layer = "block5c_add"
    explanation = one(
        str(samples / "cat.jpg"), model, layer=layer, class_name=CLASS, resize="squash"
    )

    network = default_network()
    squash = model.preprocessing._replace(resize="squash")
    image = squash.scale(load_image(Source(str(samples / "cat.jpg")), squash).pixels)
    activations, gradients = tape_gradients(network, network.get_layer(layer).output, image, CLASS)
    cam = np.maximum((activations * gradients.mean(axis=(0, 1))).sum(axis=-1), 0)
    expected = laid_over(cam, 300, 451)
    assert explanation.layer == layer
    np.testing.assert_allclose(explanation.cam, expected, atol=FROM_A_TABLE)


@pytest.mark.parametrize("layer", ["block2b_add", "block2b_project_conv"])
def test_ablation_of_another_layer_equals_a_plain_loop(layer: str, samples: Path) -> None:
    """The second layer has a shortcut around it."""
    import keras

    model = default_model()
    image = opened_image(model, samples / "cat.jpg")
    gradients = keras_gradients(model, layer)
    ours = inputs_of(model, image, CLASS, gradients, chosen=True).ablated_logits()
    network = default_network()

    def without(channel: int) -> float:
        def call(one_layer: Any, *arguments: Any, **options: Any) -> Any:
            result = one_layer(*arguments, **options)
            if one_layer.name != layer:
                return result
            keep = np.ones(result.shape[-1], np.float32)
            keep[channel] = 0
            return result * keep

        cut = keras.models.clone_model(network, call_function=call, clone_function=lambda x: x)
        return float(cut(image[np.newaxis], training=False)[0, CLASS])

    assert ours.shape == (network.get_layer(layer).output.shape[-1],)
    for channel in (0, len(ours) - 1):
        assert ours[channel] == pytest.approx(without(channel), abs=1e-3)


@pytest.mark.parametrize(
    "name", ["mobilenet-v3-small", pytest.param("vgg16", marks=pytest.mark.slow)]
)
def test_a_stack_of_dense_layers_goes_through_keras(
    name: str, samples: Path, tmp_path: Path
) -> None:
    model = load_model(name, weights=random_weights(name, tmp_path), engine="keras")
    spec = model.network.spec
    assert needs_keras(model, CAM_METHODS["gradcam"], None)
    explanation = one(str(samples / "coffee.jpg"), model, method="hirescam", class_name=CLASS)
    image = opened_image(model, samples / "coffee.jpg")
    from imgcls.core.keras.graph import cam_activations

    network = model.engine.model  # type: ignore[attr-defined]  # that of Keras has one
    activations, gradients = tape_gradients(network, cam_activations(network, spec), image, CLASS)
    cam = np.maximum((activations * gradients).sum(axis=-1), 0)

    expected = laid_over(cam, 350, 350)
    if spec.cam_layer != BEFORE_POOLING:
        assert explanation.layer == "block5_conv3"
    np.testing.assert_allclose(explanation.cam[25:375, 125:475], expected, atol=FROM_A_TABLE)


def test_input_gradients_are_those_of_keras(samples: Path) -> None:
    import tensorflow as tf

    model = default_model()
    image = opened_image(model, samples / "cat.jpg")
    ours = inputs_of(model, image, CLASS, keras_gradients(model)).input_gradients(image[np.newaxis])
    network = default_network()
    batch = tf.constant(image[np.newaxis])
    with tf.GradientTape() as tape:
        tape.watch(batch)
        logit = network(batch, training=False)[:, CLASS]
    np.testing.assert_allclose(ours, tape.gradient(logit, batch), atol=1e-5)


def test_the_keras_engine_gives_the_same_heatmap_without_gradients(samples: Path) -> None:
    path = str(samples / "cat.jpg")
    fast, slow = one(path), one(path, load_model(engine="keras"))
    np.testing.assert_allclose(fast.cam, slow.cam, atol=1e-4)
