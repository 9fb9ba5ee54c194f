from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from imgcls.core.engines.model import load_model
from imgcls.core.errors import ImgclsError, ModelError, OutputError, UsageError
from imgcls.core.models.model_file import read_model_file
from imgcls.core.tasks.models.import_model import ImportOptions, import_model

KERAS2 = Path(__file__).parents[3] / "keras2_files"
GENERIC = ImportOptions(generic_labels=True, scaling="none")


@pytest.fixture(scope="module")
def tf_inside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an imported model with its scaling, augmentation and one sigmoid inside."""
    folder = tmp_path_factory.mktemp("import")
    labels = folder / "labels.txt"
    labels.write_text("0 cat\n1 dog\n")
    output = folder / "m.safetensors"
    imported = import_model(
        KERAS2 / "tf_inside.h5", output, ImportOptions(labels=labels), trust=True
    )
    assert imported.max_difference < 1e-5
    assert (imported.real_images, imported.scaling_guessed) == (2, False)
    return output


def test_an_import(tf_inside: Path) -> None:
    file = read_model_file(tf_inside)
    assert file.labels == ("cat", "dog")
    assert (file.preprocessing.size, file.preprocessing.scaling) == (32, "none")
    assert file.preprocessing.resize == "squash"
    assert file.training["dropped"] == {"RandomFlip": 1, "RandomRotation": 1, "Dropout": 1}
    assert file.training["scaled_by"] == ["tf.math.truediv", "tf.math.subtract"]
    known = np.load(KERAS2 / "tf_inside.h5.npz")
    expected = np.concatenate([1 - known["scores"], known["scores"]], axis=1)
    model = load_model(str(tf_inside))
    batch = model.preprocessing.scale(known["pixels"])
    np.testing.assert_allclose(model.scores(batch), expected, atol=1e-5)


def test_predict_needs_no_tensorflow(tf_inside: Path, samples: Path) -> None:
    load_model(str(tf_inside))  # compiled here, if it is not yet
    code = (
        "import sys, imgcls\n"
        "(record,) = imgcls.classify([sys.argv[1]], sys.argv[2])\n"
        "print(record.status, sorted({'tensorflow', 'keras', 'h5py'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, samples / "cat.jpg", tf_inside],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "ok []\n"


def test_refused_before_anything_is_read(tmp_path: Path) -> None:
    file, output = tmp_path / "m.keras", tmp_path / "m.safetensors"
    file.write_bytes(b"x")
    with pytest.raises(UsageError, match="say `trust`"):
        import_model(file, output)
    with pytest.raises(UsageError, match=r"ends in \.safetensors"):
        import_model(file, tmp_path / "m.h5", trust=True)
    with pytest.raises(ModelError, match="no such file"):
        import_model(tmp_path / "none.h5", output, trust=True)
    with pytest.raises(UsageError, match="name a file with `labels`"):
        import_model(file, output, trust=True)
    output.write_text("mine")
    with pytest.raises(OutputError, match="is no model file"):
        import_model(file, output, GENERIC, trust=True)


def test_options_check_themselves() -> None:
    for wrong in (
        {"labels": "x", "generic_labels": True},
        {"scaling": "tensorflow"},
        {"resize": "stretch"},
        {"size": 0},
    ):
        with pytest.raises(UsageError):
            ImportOptions(**wrong)  # type: ignore[arg-type]


def _refused(path: Path, options: ImportOptions = GENERIC) -> str:
    output = path.parent / "out.safetensors"
    with pytest.raises(ImgclsError) as caught:
        import_model(path, output, options, trust=True)
    assert not output.exists()
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_what_must_be_said(tmp_path: Path) -> None:
    said = _refused(KERAS2 / "nested.h5", ImportOptions(generic_labels=True))
    assert "say it with `scaling` (unit: pixels / 255; tf:" in said
    labels = tmp_path / "three.txt"
    labels.write_text("a\nb\nc\n")
    said = _refused(KERAS2 / "own_cnn.h5", ImportOptions(labels=labels))
    assert "has 3 labels" in said and "2 classes; one sigmoid tells two classes apart" in said


def _changed(tmp_path: Path, change: Any) -> Path:
    """Return a copy of a file whose description a function has changed."""
    path = tmp_path / "changed.h5"
    path.write_bytes((KERAS2 / "nested.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        changed = change(config)
        file.attrs["model_config"] = json.dumps(config if changed is None else changed)
    return path


def _lambda(config: Any) -> None:
    layer = config["config"]["layers"][2]
    layer |= {"class_name": "Lambda", "config": {"name": layer["name"], "function": "4wEAAAA="}}


def _cycle(config: Any) -> None:
    layers = config["config"]["layers"]
    layers[2]["inbound_nodes"] = [[[layers[3]["name"], 0, 0, {}]]]


def _deep(config: Any) -> Any:
    for _ in range(40):
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": [config]}}
    return config


def _wide(config: Any) -> None:
    config["config"]["layers"][1]["config"]["layers"][1]["config"]["filters"] = 2**40


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_lambda, "code of its author"),
        (_cycle, "takes its own result"),
        (_deep, "lie too deep"),
        (_wide, "filters must be a whole number"),
        (lambda config: [], "its description"),
        (lambda config: {"class_name": "Functional", "config": {}}, "makes no sense"),
        (lambda config: config["config"].update(output_layers=[["none", 0, 0]]), "makes no sense"),
    ],
)
def test_hostile_descriptions(tmp_path: Path, change: Any, reason: str) -> None:
    assert reason in _refused(_changed(tmp_path, change))


def test_arrays_that_are_larger_than_the_file(tmp_path: Path) -> None:
    path = _changed(tmp_path, lambda config: None)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/dense/dense"]
        del group["kernel:0"]
        group.create_dataset("kernel:0", (2**20, 2**11), "f4")
    assert "far larger than the file" in _refused(path)


def test_a_member_that_unpacks_to_far_more(tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(50 * 2**20))
    assert "arrays would take" in _refused(path)


def test_other_programs_files(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3\0\0")
    assert "TensorFlow Lite" in _refused(path)
    path.write_bytes(b"nothing")
    assert "is no Keras model" in _refused(path)
