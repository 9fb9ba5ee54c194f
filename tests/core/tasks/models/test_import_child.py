"""The work of the child process, done in this one; the limits it sets itself are left out."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import h5py
import pytest

from imgcls.core.errors import UsageError
from imgcls.core.models.keras_file.describe import describe
from imgcls.core.models.keras_file.recognise import FAMILIES, Family
from imgcls.core.models.model_file import read_model_file
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.tasks.models import import_child
from imgcls.core.tasks.models.import_model import ImportOptions

KERAS2 = Path(__file__).parents[3] / "keras2_files"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def request_of(tmp_path: Path) -> Run:
    """Return what makes the request to import a file."""

    def make(file: str | Path = KERAS2 / "tf_inside.h5", **changed: Any) -> dict[str, Any]:
        checks = [[str(photo), label] for photo, label in changed.pop("checks", ())]
        return {
            **asdict(ImportOptions()),
            "file": str(file),
            "folder": str(tmp_path),
            "output": str(tmp_path / "m.safetensors"),
            "outcome": str(tmp_path / "outcome.json"),
            "labels": ["cat", "dog"],
            "labels_file": "labels.txt",
            "checks": checks,
            "described": None,
            **changed,
        }

    return make


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return the limits that would be set."""
    wanted: list[tuple[str, int]] = []
    for name in ("limit_memory", "limit_seconds"):
        monkeypatch.setattr(import_child, name, lambda size, name=name: wanted.append((name, size)))
    return wanted


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, request_of: Run, limits: list[tuple[str, int]]) -> Run:
    """Return what does the child's work, and returns what it writes into the file of outcomes."""
    monkeypatch.setattr(import_child, "leave_network", lambda: None)

    def run(file: str | Path = KERAS2 / "tf_inside.h5", **changed: Any) -> dict[str, Any]:
        request = request_of(file, **changed)
        monkeypatch.setattr(import_child, "read_request", lambda: json.dumps(request))
        import_child.main()
        outcome: dict[str, Any] = json.loads(Path(request["outcome"]).read_bytes())
        return outcome

    return run


def test_an_import(
    child: Run, tmp_path: Path, samples: Path, limits: list[tuple[str, int]]
) -> None:
    photo = samples / "cat.jpg"
    outcome = child(checks=[(photo, "DOG")])
    assert 0 <= outcome["max_difference"] < 1e-5
    assert (outcome["real_images"], outcome["scaling_guessed"]) == (3, False)
    file = read_model_file(tmp_path / "m.safetensors")
    assert file.labels == ("cat", "dog")
    assert file.training == {
        "imported_from": "tf_inside.h5",
        "sha256": file.training["sha256"],
        "written_by": file.training["written_by"],
        "recognised": "a network of its author's own",
        "ended_in": "sigmoid",
        "scaled_by": ["tf.math.truediv", "tf.math.subtract"],
        "dropped": {"RandomFlip": 1, "RandomRotation": 1, "Dropout": 1},
    }
    assert file.training["written_by"].startswith("Keras 2.")
    # First for reading, then for both models at once.
    assert [name for name, _ in limits] == ["limit_memory", "limit_seconds"] * 2
    assert limits[0][1] < limits[2][1] and limits[1][1] < limits[3][1]

    (check,) = outcome["checks"]
    assert (check["photo"], check["label"]) == (str(photo), "dog")
    assert next(iter(check["answers"])) == "none"  # how it was imported comes first
    assert set(check["answers"]) == {"none", "unit", "tf", "torch", "caffe"}
    for best, score in check["answers"].values():
        assert (best == "dog") is (score > 0.5)


@pytest.mark.parametrize(
    ("file", "changed", "usage", "message"),
    [
        (
            *("tf_inside.h5", {"labels": ["a", "b", "c"]}, True),
            "labels.txt: has 3 labels, {file} 2 classes; one sigmoid tells two classes apart",
        ),
        ("nested.h5", {"labels": ["a"]}, True, "labels.txt: has 1 labels, {file} 3 classes"),
        ("tf_inside.h5", {"size": 48}, False, "{file}: cannot be imported: it takes images of "),
    ],
)
def test_what_is_refused_is_the_outcome(
    child: Run, tmp_path: Path, file: str, changed: dict[str, Any], usage: bool, message: str
) -> None:
    outcome = child(KERAS2 / file, **changed)
    assert outcome["usage"] is usage
    assert outcome["error"].startswith(message.format(file=KERAS2 / file))
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize(
    ("asked", "inside", "family", "found"),
    [
        ("unit", ("scale",), FAMILIES[0], (False, "unit")),
        (None, ("scale",), FAMILIES[0], (False, "none")),
        (None, (), FAMILIES[0], (True, FAMILIES[0].scaling)),
    ],
)
def test_where_the_scaling_is_known_from(
    tmp_path: Path, asked: Any, inside: tuple[str, ...], family: Family, found: tuple[bool, str]
) -> None:
    path = KERAS2 / "tf_inside.h5"
    imported = replace(describe(path, tmp_path), scaled_by=inside, family=family)
    assert import_child._scaling(path, imported, asked) == found
    with pytest.raises(UsageError, match=r"say it with `scaling` \(unit: pixels / 255; tf:"):
        import_child._scaling(path, replace(imported, scaled_by=(), family=None), None)


def test_memory_that_runs_out_is_said(child: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_out(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(import_child, "describe", run_out)
    assert child() == {
        "error": f"{KERAS2 / 'tf_inside.h5'}: takes far more memory than its size accounts for"
    }


def test_files_that_are_no_whole_model(child: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    for content, message in (
        (b"nothing", f"{path}: is no Keras model; run imgcls models import on a whole model"),
        (b"\x1c\0\0\0TFL3\0\0", f"{path}: is a TensorFlow Lite model, "),
    ):
        path.write_bytes(content)
        assert child(path)["error"].startswith(message)


def refused(child: Run, path: Path) -> str:
    outcome = child(path)
    assert outcome.keys() == {"error", "usage"} and not outcome["usage"]
    text: str = outcome["error"]
    assert text.startswith(f"{path}: ") and "\n" not in text
    assert not (path.parent / "m.safetensors").exists()
    return text


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
def test_hostile_descriptions(child: Run, tmp_path: Path, change: Any, reason: str) -> None:
    assert reason in refused(child, _changed(tmp_path, change))


def test_arrays_that_are_larger_than_the_file(child: Run, tmp_path: Path) -> None:
    path = _changed(tmp_path, lambda config: None)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/dense/dense"]
        del group["kernel:0"]
        group.create_dataset("kernel:0", (2**20, 2**11), "f4")
    assert "far larger than the file" in refused(child, path)


def test_a_member_that_unpacks_to_far_more(child: Run, tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(50 * 2**20))
    assert "its arrays would grow to 50 MB" in refused(child, path)


def test_photos_to_check_are_looked_at_before_anything_is_written(
    child: Run, tmp_path: Path, samples: Path
) -> None:
    photo = tmp_path / "gone.jpg"
    assert child(checks=[(photo, "dog")]) == {"error": f"{photo}: no such file", "usage": False}
    outcome = child(checks=[(samples / "cat.jpg", "horse")])
    assert outcome["error"].startswith("horse: no such class; did you mean ")
    assert outcome["usage"] is True
    assert not (tmp_path / "m.safetensors").exists()


def test_what_export_wrote_beside_the_file_says_how_images_come_in(
    child: Run, tmp_path: Path
) -> None:
    described = {"resize_to": 40, "interpolation": "bicubic", "resize": "pad"}
    assert child(scaling="tf", described=described)["scaling_guessed"] is False
    preprocessing = read_model_file(tmp_path / "m.safetensors").preprocessing
    assert preprocessing == Preprocessing(32, 40, "tf", "bicubic", "pad")
    child(scaling="tf", described=described, resize="crop")  # the user's word goes first
    assert read_model_file(tmp_path / "m.safetensors").preprocessing.resize == "crop"


def test_labels_that_are_made_up(child: Run, tmp_path: Path) -> None:
    child(labels=None)
    assert read_model_file(tmp_path / "m.safetensors").labels == ("class_0", "class_1")
