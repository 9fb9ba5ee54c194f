"""The scores of a written file against its source's, and photos of known classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgcls.core.errors import ImageError, ModelError, UsageError
from imgcls.core.models.keras_file.describe import ImportedNetwork, describe
from imgcls.core.models.model_file import ModelFile, write_model_file
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.tasks.models import import_proof
from imgcls.core.tasks.models.import_proof import KnownPhoto, check_photos, known_photo, prove

SOURCE = Path(__file__).parents[3] / "keras2_files" / "own_cnn.h5"


@pytest.fixture
def imported(tmp_path: Path) -> ImportedNetwork:
    """Return a network of images of 32 × 32 that ends in one sigmoid."""
    return describe(SOURCE, tmp_path)


@pytest.fixture
def file(imported: ImportedNetwork) -> ModelFile:
    return ModelFile(
        *("described", "stored", "", imported.head, ("cat", "dog")),
        Preprocessing(32, 32, "none", resize="squash"),
        described=imported.network,
    )


@pytest.fixture
def output(tmp_path: Path, imported: ImportedNetwork, file: ModelFile) -> Path:
    write_model_file(tmp_path / "m.safetensors", file, imported.tensors)
    return tmp_path / "m.safetensors"


def test_a_file_is_proven_on_noise_and_on_photos(imported: ImportedNetwork, output: Path) -> None:
    photo = np.full((32, 32, 3), 200, np.uint8)
    difference, real = prove(SOURCE, imported, SOURCE, output, [photo])
    assert 0 <= difference < 1e-5
    assert real == 3  # two come with scikit-learn


def test_scores_that_differ_are_refused(
    imported: ImportedNetwork, output: Path, file: ModelFile
) -> None:
    name = next(iter(imported.tensors))
    changed = {**imported.tensors, name: imported.tensors[name] * 1.01}
    write_model_file(output, file, changed)
    with pytest.raises(ModelError) as raised:
        prove(SOURCE, imported, SOURCE, output, [])
    message = str(raised.value)
    assert message.startswith(f"{SOURCE}: cannot be imported: its scores would differ by ")
    assert message.endswith(" from those that Keras gives; please report it with the file")


def test_numbers_that_are_none_are_no_proof(
    imported: ImportedNetwork, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(scores: Any, ending: str) -> Any:
        return np.full_like(np.asarray(scores), np.nan)

    monkeypatch.setattr(import_proof, "_as_scores", nowhere)
    with pytest.raises(ModelError, match="its scores would differ by nan from those"):
        prove(SOURCE, imported, SOURCE, output, [])


def test_what_keras_cannot_build_is_refused(imported: ImportedNetwork, output: Path) -> None:
    layers = imported.tree.layers or ()
    conv = next(layer for layer in layers if layer.kind == "Conv2D")
    wrong = replace(conv, config={**conv.config, "padding": "nowhere"})
    tree = replace(imported.tree, layers=tuple(wrong if one is conv else one for one in layers))
    with pytest.raises(ModelError) as raised:
        prove(SOURCE, replace(imported, tree=tree), SOURCE, output, [])
    message = str(raised.value)
    assert message.startswith(
        f"{SOURCE}: cannot be imported: Keras cannot build it for comparison (ValueError: "
    )
    assert "\n" not in message


@pytest.mark.parametrize(
    ("ending", "outputs", "scores"),
    [
        ("softmax", [[0.25, 0.75]], [[0.25, 0.75]]),
        ("logits", [[0, np.log(3)]], [[0.25, 0.75]]),
        ("sigmoid", [[0.75], [0]], [[0.25, 0.75], [1, 0]]),
        ("logit", [[np.log(3)], [0]], [[0.25, 0.75], [0.5, 0.5]]),
    ],
)
def test_scores_of_each_ending(ending: str, outputs: Any, scores: Any) -> None:
    found = import_proof._as_scores(np.array(outputs, np.float32), ending)
    np.testing.assert_allclose(found, scores, rtol=1e-6)


def test_a_photo_of_a_known_class(tmp_path: Path, file: ModelFile) -> None:
    photo = tmp_path / "a.png"
    Image.new("RGB", (64, 32), (9, 8, 7)).save(photo)
    known = known_photo(str(photo), "Dog", file)
    assert (known.path, known.column, known.pixels.shape) == (str(photo), 1, (32, 32, 3))
    assert (known.pixels == (9, 8, 7)).all()
    with pytest.raises(UsageError, match=r"^horse: no such class; did you mean "):
        known_photo(str(photo), "horse", file)
    photo.write_bytes(b"")
    with pytest.raises(ImageError) as raised:
        known_photo(str(photo), "dog", file)
    assert str(raised.value) == f"{photo}: empty file"


def test_each_scaling_is_tried(output: Path, file: ModelFile) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    photos = [KnownPhoto("a.jpg", column, noise) for column in (0, 1)]
    cat, dog = check_photos(output, file, photos)
    assert (cat["photo"], cat["label"], dog["label"]) == ("a.jpg", "cat", "dog")
    assert list(cat["answers"]) == ["none", "unit", "tf", "torch", "caffe"]  # its own first
    for scaling, (best, score) in cat["answers"].items():
        assert dog["answers"][scaling] == [best, pytest.approx(1 - score, abs=1e-6)]
        assert best == ("cat" if score > 0.5 else "dog")
    assert len({score for _, score in cat["answers"].values()}) == 5
