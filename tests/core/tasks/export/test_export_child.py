"""What is exported, in its own runtime, and what is refused."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from imgcls.core.engines.model import load_model
from imgcls.core.errors import ModelError
from imgcls.core.models.foreign_files import foreign_kind
from imgcls.core.tasks.export import export_child
from imgcls.core.tasks.export.options import ExportOptions
from imgcls.core.tasks.export.runtimes import run_exported
from imgcls.core.tasks.export.tflite_metadata import metadata
from tests.core.tasks.export.conftest import LABELS, Exported

PIXELS = np.random.default_rng(3).integers(0, 256, (7, 16, 16, 3), np.uint8)


def scores(tiny: Path) -> np.ndarray:
    model = load_model(str(tiny), engine="keras")
    return model.scores(model.preprocessing.scale(PIXELS))


def metadata_of(content: bytes) -> bytes:
    model = schema.Model.GetRootAs(content)
    entries = [model.Metadata(place) for place in range(model.MetadataLength())]
    (entry,) = [entry for entry in entries if entry.Name() == b"TFLITE_METADATA"]
    return bytes(model.Buffers(entry.Buffer()).DataAsNumpy())


def test_tflite_takes_rgb_and_gives_the_scores(tiny: Path, exported: Exported) -> None:
    path, outcome = exported(tiny, ".tflite")
    assert outcome["images"] == 8 and outcome["max_difference"] < 1e-5
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt").decode().splitlines() == list(LABELS)
        described = json.loads(archive.read("imgcls.json"))
    assert (described["channels"], described["resize"], described["size"]) == ("RGB", "squash", 16)
    batch = (PIXELS - np.array(described["mean"])) / np.array(described["std"])
    given = run_exported(".tflite", path, batch.astype(np.float32), together=False)
    np.testing.assert_allclose(given, scores(tiny), atol=1e-5)
    (named,) = (
        Interpreter(str(path)).get_signature_runner()(image=batch[:1].astype(np.float32)).items()
    )
    assert named[0] == "scores"
    np.testing.assert_array_equal(named[1], given[:1])
    assert metadata_of(path.read_bytes()) == metadata(described)
    kind = foreign_kind(path)
    assert kind is not None and "TensorFlow Lite" in kind.name  # although a zip is at its end


def test_tflite_that_scales_pixels_itself(tiny: Path, exported: Exported) -> None:
    options = ExportOptions(with_preprocessing=True, batch="dynamic", precision="float16")
    path, outcome = exported(tiny, ".tflite", options)
    assert outcome["bound"] == 1e-2
    given = run_exported(".tflite", path, PIXELS, together=True)
    np.testing.assert_allclose(given, scores(tiny), atol=1e-2)


@pytest.mark.parametrize("ending", [".keras", ".h5", "/"])
@pytest.mark.parametrize("inside", [False, True])
def test_keras_and_saved_model(tiny: Path, exported: Exported, ending: str, inside: bool) -> None:
    path, outcome = exported(tiny, ending, ExportOptions(with_preprocessing=inside))
    assert outcome["max_difference"] < 1e-5
    described = json.loads(
        (path / "imgcls.json" if ending == "/" else Path(f"{path}.json")).read_bytes()
    )
    assert (described["channels"], described["labels"]) == ("RGB" if inside else "BGR", [*LABELS])
    batch = PIXELS
    if not inside:
        batch = (PIXELS[..., ::-1] - np.float32(described["mean"])) / np.float32(described["std"])
    given = run_exported(ending, path, batch, together=True)
    np.testing.assert_allclose(given, scores(tiny), atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        ExportOptions(),
        ExportOptions(with_preprocessing=True, batch="fixed", opset=13),
    ],
)
def test_onnx(tiny: Path, exported: Exported, options: ExportOptions) -> None:
    onnx = pytest.importorskip("onnx")
    path, outcome = exported(tiny, ".onnx", options)
    assert outcome["max_difference"] < 1e-5
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == (options.opset or 17)
    batch = model.graph.input[0].type.tensor_type.shape.dim[0]
    assert (batch.dim_param, batch.dim_value) == (("", 1) if options.batch else ("batch", 0))
    about = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert (about["channels"], about["labels"]) == ("RGB", [*LABELS])
    pixels = PIXELS
    if not options.with_preprocessing:
        pixels = (PIXELS - np.float32(about["mean"])) / np.float32(about["std"])
    given = run_exported(".onnx", path, pixels, together=not options.batch)
    np.testing.assert_allclose(given, scores(tiny), atol=1e-5)
    assert [file.name for file in path.parent.iterdir()] == ["out.onnx"]


@pytest.mark.parametrize(
    "options", [ExportOptions(), ExportOptions(with_preprocessing=True, batch="fixed")]
)
def test_openvino(tiny: Path, exported: Exported, options: ExportOptions) -> None:
    openvino = pytest.importorskip("openvino")
    path, outcome = exported(tiny, ".xml", options)
    assert outcome["max_difference"] < 1e-5
    assert sorted(file.name for file in path.parent.iterdir()) == [
        *("out.bin", "out.xml", "out.xml.json"),
    ]
    shape = openvino.Core().read_model(path).inputs[0].get_partial_shape()
    assert shape[0].is_static == (options.batch == "fixed")
    about = json.loads(Path(f"{path}.json").read_bytes())
    assert (about["channels"], about["labels"]) == ("RGB", [*LABELS])
    pixels = PIXELS
    if not options.with_preprocessing:
        pixels = (PIXELS - np.float32(about["mean"])) / np.float32(about["std"])
    given = run_exported(".xml", path, pixels, together=not options.batch)
    np.testing.assert_allclose(given, scores(tiny), atol=1e-5)


def test_int8_names_the_same_classes(tiny: Path, exported: Exported) -> None:
    photos = np.random.default_rng(4).integers(0, 256, (60, 16, 16, 3), np.uint8)
    photos[::3, :8] //= 4  # so that they are not all of one class
    options = ExportOptions(precision="int8", calibrate="photos")
    path, outcome = exported(tiny, ".tflite", options, photos)
    assert outcome["agreement"] >= 0.95 == outcome["least_agreement"]
    assert (outcome["images"], outcome["bound"]) == (60, None)
    assert b"labels.txt" in path.read_bytes()


def test_scores_that_differ_are_refused(
    tiny: Path, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(export_child.BOUNDS, "float32", -1.0)
    with pytest.raises(ModelError, match=r"tiny\.safetensors: cannot be exported: its scores"):
        exported(tiny, ".tflite")
    monkeypatch.setattr(export_child, "LEAST_AGREEMENT", 1.1)
    with pytest.raises(ModelError, match=r"the same class as float32 for only \d+ of 7 photos"):
        options = ExportOptions(precision="int8", calibrate="photos")
        exported(tiny, ".tflite", options, PIXELS)


@pytest.mark.posix
def test_a_full_disk_is_named_and_what_filled_it_removed(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    folder = tmp_path / "folder"
    folder.mkdir()
    request = {
        "model": str(tiny),
        "weights": None,
        "folder": str(folder),
        "output": str(tmp_path / "m"),
        "shown": "m/",
        "ending": "/",
        "options": asdict(ExportOptions()),
    }
    monkeypatch.setattr(export_child, "read_request", lambda: json.dumps(request))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        export_child.main()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [file.name for file in folder.iterdir()] == ["outcome.json"]
    outcome = json.loads((folder / "outcome.json").read_text())
    assert outcome == {"error": "m/: cannot be written: File too large", "kind": "OutputError"}
