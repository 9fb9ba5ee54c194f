"""Weights files: both of Keras' formats are loaded, and what does not fit says why."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from imgcls.core.arrays import softmax
from imgcls.core.errors import WeightsError
from imgcls.core.keras.build import build_network, build_weighted
from imgcls.core.keras.weights_file import load_weights
from imgcls.core.models.table import MODELS
from imgcls.core.models.weights import Network


def save_legacy(model: Any, path: Path) -> None:
    """Write weights as the files of keras.applications are."""
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


class Saved:
    """A MobileNet with random weights, in every format that Keras writes."""

    def __init__(self, folder: Path) -> None:
        import keras

        keras.utils.set_random_seed(1)
        self.model = keras.applications.MobileNet(weights=None, classifier_activation=None)
        random = np.random.default_rng(0)
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.set_weights([random.uniform(0.5, 2, w.shape) for w in layer.weights])
        self.legacy = folder / "legacy.h5"
        self.newer = folder / "newer.weights.h5"
        self.whole = folder / "whole.h5"
        save_legacy(self.model, self.legacy)
        self.model.save_weights(self.newer)
        self.model.save(self.whole)
        self.image = random.uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
        self.logits = np.asarray(self.model(self.image, training=False))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    return Saved(tmp_path_factory.mktemp("weights"))


def load(path: Path, name: str = "mobilenet") -> Any:
    return build_weighted(Network(name, MODELS[name], path))


def refused(path: Path, name: str = "mobilenet") -> str:
    """Return the message about a file, without its name."""
    with pytest.raises(WeightsError) as caught:
        load(path, name)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("kind", ["legacy", "newer", "whole"])
def test_both_formats_are_loaded(saved: Saved, kind: str) -> None:
    model = load(getattr(saved, kind))
    np.testing.assert_array_equal(np.asarray(model(saved.image, training=False)), saved.logits)


@pytest.mark.parametrize("kind", ["legacy", "newer", "whole"])
def test_file_of_another_model_says_what_differs(saved: Saved, kind: str) -> None:
    message = refused(getattr(saved, kind), "mobilenet-v2")
    expected = {
        "legacy": "it has 55 layers with weights, the model 105",
        "whole": "it has 55 layers with weights, the model 105",
        "newer": "layers/batch_normalization_10/vars/0 is 256 in the file, 144 in the model",
    }
    assert message.startswith(f"does not fit mobilenet-v2: {expected[kind]}")


@pytest.mark.parametrize("ending", [".h5", ".weights.h5"])
def test_other_classes_say_which_layer_differs(tmp_path: Path, ending: str) -> None:
    import keras

    model = keras.applications.MobileNet(weights=None, classes=7)
    path = tmp_path / f"seven{ending}"
    if ending == ".h5":
        save_legacy(model, path)
        difference = "layer conv_preds has 1×1×1024×1000 + 1000, the file 1×1×1024×7 + 7"
    else:
        model.save_weights(path)
        difference = "layers/conv2d_14/vars/0 is 1×1×1024×7 in the file, 1×1×1024×1000 in the model"
    message = refused(path)
    assert message.startswith("does not fit mobilenet: ")
    assert message.endswith(difference)


def test_weights_without_the_top_do_not_fit(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "notop.h5"
    save_legacy(keras.applications.MobileNet(weights=None, include_top=False), path)
    assert refused(path) == ("does not fit mobilenet: it has 54 layers with weights, the model 55")


@pytest.mark.parametrize("content", [b"", b"A diary\n", b"PK\x03\x04" + bytes(100)])
def test_file_that_is_no_hdf5(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(content)
    assert refused(path) == (
        "not a weights file; mobilenet takes .h5 as Keras publishes it, or .weights.h5"
    )


@pytest.mark.parametrize("kind", ["legacy", "newer"])
def test_cut_file(saved: Saved, tmp_path: Path, kind: str) -> None:
    source = getattr(saved, kind)
    path = tmp_path / source.name
    path.write_bytes(source.read_bytes()[:-1000])
    assert refused(path).startswith("is damaged or no HDF5 file (")


def test_empty_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w"):
        pass
    assert refused(path).startswith("does not fit mobilenet: it lacks ")


def _external(file: h5py.File, name: str, outside: Path) -> str:
    file[name] = h5py.ExternalLink(str(outside), "secret")
    return f"{name} is a link"


def _soft(file: h5py.File, name: str, outside: Path) -> str:
    file[name] = h5py.SoftLink("/somewhere/else")
    return f"{name} is a link"


def _raw(file: h5py.File, name: str, outside: Path) -> str:
    file.create_dataset(name, (1000,), "f4", external=[(str(outside), 0, 4000)])
    return f"{name} lies in another file"


def _virtual(file: h5py.File, name: str, outside: Path) -> str:
    layout = h5py.VirtualLayout((1000,), "f4")
    layout[:] = h5py.VirtualSource(str(outside), "secret", (1000,))
    file.create_virtual_dataset(name, layout)
    return f"{name} lies in another file"


def _text(file: h5py.File, name: str, outside: Path) -> str:
    file.create_dataset(name, (1000,), h5py.string_dtype())
    return f"{name} is no tensor of numbers"


def _nan(file: h5py.File, name: str, outside: Path) -> str:
    file[name] = np.full(1000, np.nan, np.float32)
    return f"{name} holds numbers that are not finite"


@pytest.mark.parametrize("lure", [_external, _soft, _raw, _virtual, _text, _nan])
@pytest.mark.parametrize("kind", ["legacy", "newer"])
def test_what_is_no_tensor_of_this_file_is_refused(
    saved: Saved, tmp_path: Path, kind: str, lure: Any
) -> None:
    outside = tmp_path / "outside.h5"
    with h5py.File(outside, "w") as file:
        file["secret"] = np.zeros(1000, np.float32)
    source = getattr(saved, kind)
    path = tmp_path / source.name
    shutil.copy(source, path)
    with h5py.File(path, "r+") as file:
        biases: list[str] = []
        file.visit(lambda name: biases.append(name) if _is_last_bias(file, name) else None)
        (bias,) = biases
        del file[bias]
        reason = lure(file, bias, outside)
    assert refused(path) == f"{reason}; it is not used"


def test_a_variance_below_zero_is_refused(saved: Saved, tmp_path: Path) -> None:
    path = tmp_path / saved.newer.name
    shutil.copy(saved.newer, path)
    with h5py.File(path, "r+") as file:
        file["layers/batch_normalization/vars/3"][0] = -1
    assert refused(path) == "layer conv1_bn has a variance below 0; it is not used"


def _is_last_bias(file: h5py.File, name: str) -> bool:
    entry = file[name]
    return isinstance(entry, h5py.Dataset) and entry.shape == (1000,)


def test_the_format_is_known_by_its_content(saved: Saved, tmp_path: Path) -> None:
    newer = shutil.copy(saved.newer, tmp_path / "mine.h5")
    older = shutil.copy(saved.legacy, tmp_path / "mine.weights.h5")
    for path in (newer, older, shutil.copy(saved.newer, tmp_path / "mine.pth")):
        logits = np.asarray(load(Path(path))(saved.image, training=False))
        np.testing.assert_array_equal(logits, saved.logits)


def test_checkpoint_for_a_model_of_keras(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(b"")
    assert refused(path).startswith("not a weights file; mobilenet takes .h5")


def test_keras_file_for_the_default_model(tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(2)
    spec = MODELS["efficientnet-lite0"]
    model = build_network(spec)
    path = tmp_path / "lite.weights.h5"
    model.save_weights(path)
    loaded = load(path, "efficientnet-lite0")
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_efficientnets_published_deviations_are_scaled_as_keras_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    # Keras' published file holds the deviations where variances belong, and Keras puts a layer
    # behind it - only where weights="imagenet".
    keras.utils.set_random_seed(3)
    model = keras.applications.EfficientNetB0(weights=None)
    (scaling,) = (x for x in model.layers if isinstance(x, keras.layers.Normalization))
    scaling.adapt_mean.assign([0.485, 0.456, 0.406])
    scaling.adapt_variance.assign([0.229, 0.224, 0.225])
    path = tmp_path / "published.h5"
    save_legacy(model, path)
    from keras.src.utils import file_utils

    monkeypatch.setattr(file_utils, "get_file", lambda *_, **__: str(path))
    reference = keras.applications.EfficientNetB0(weights="imagenet")
    image = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3)).astype(np.float32)

    def after(network: Any, layer: str) -> np.ndarray:
        inner = keras.Model(network.input, network.get_layer(layer).output)
        return np.asarray(inner(image, training=False))

    ours = load(path, "efficientnet-b0")
    wanted = after(reference, "stem_conv_pad")
    np.testing.assert_allclose(after(ours, "stem_conv_pad"), wanted, rtol=1e-4, atol=1e-4)
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels = wanted[0, : image.shape[1], : image.shape[2]]
    np.testing.assert_allclose(pixels, (image[0] / 255 - mean) / deviation, rtol=1e-3, atol=1e-3)
    scores = softmax(np.asarray(ours(image, training=False)))
    np.testing.assert_allclose(scores, np.asarray(reference(image, training=False)), atol=1e-6)


def test_efficientnet_of_ones_own_keeps_its_variances(tmp_path: Path) -> None:
    import keras

    model = keras.applications.EfficientNetB0(weights=None)
    (scaling,) = (x for x in model.layers if isinstance(x, keras.layers.Normalization))
    scaling.adapt_variance.assign([0.05, 0.06, 0.07])
    path = tmp_path / "own.h5"
    save_legacy(model, path)
    loaded = load(path, "efficientnet-b0")
    (scaling,) = (x for x in loaded.layers if isinstance(x, keras.layers.Normalization))
    np.testing.assert_allclose(np.ravel(scaling.variance), [0.05, 0.06, 0.07], rtol=1e-6)


@pytest.mark.parametrize("ending", [".h5", ".weights.h5"])
def test_the_first_part_of_a_network_takes_its_own_file_or_the_whole(
    tmp_path: Path, ending: str
) -> None:
    from keras import Input, Model, layers

    def build(classes: int) -> Any:
        image = Input((8, 8, 3))
        x = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv")(image))
        if classes:
            x = layers.Dense(classes, name="top")(layers.Flatten()(x))
        return Model(image, x)

    whole = build(5)
    whole.get_layer("norm").moving_mean.assign([1, 2, 3, 4])
    first = Model(whole.inputs, whole.get_layer("norm").output)
    batch = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    for source in (whole, first):
        path = tmp_path / f"{len(source.layers)}{ending}"
        save_legacy(source, path) if ending == ".h5" else source.save_weights(path)
        model = build(0)
        load_weights(model, Network("vgg16", MODELS["vgg16"], path), partial=True)
        np.testing.assert_array_equal(np.asarray(model(batch)), np.asarray(first(batch)))
    with pytest.raises(WeightsError, match=r"does not fit vgg16: .*3×3×3×4"):
        other = Model(image := Input((8, 8, 3)), layers.Conv2D(7, 3)(image))
        load_weights(other, Network("vgg16", MODELS["vgg16"], path), partial=True)
