from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
    with pytest.raises(ModelError, match="is no Keras model"):  # and no word of labels
        import_model(file, output, trust=True)
    with pytest.raises(UsageError, match="name a file with `labels`"):
        import_model(KERAS2 / "nested.h5", output, trust=True)
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


def test_what_the_child_refuses_is_raised_here(tmp_path: Path) -> None:
    said = _refused(KERAS2 / "nested.h5", ImportOptions(generic_labels=True))
    assert "say it with `scaling` (unit: pixels / 255; tf:" in said
    path = tmp_path / "m.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3\0\0")
    assert "TensorFlow Lite" in _refused(path)
