"""The cache of compiled models: made once, checked before each use, made anew when damaged."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imgcls import load_model
from imgcls.core.engines.compiled.compile import (
    CompiledModel,
    Unsupported,
    compiled_folder,
    compiled_model,
)
from imgcls.core.engines.compiled.folder import (
    UnusableError,
    facts_text,
    made_of,
    read_compiled,
    read_facts,
)
from imgcls.core.engines.opening import open_engine
from imgcls.core.errors import ModelError, WeightsError
from imgcls.core.models.table import MODELS
from imgcls.core.models.weights import Network, find_weights
from imgcls.core.pixels.sources import expand
from tests.conftest import Imgcls, load_batch

NAME = "efficientnet-lite0"
COMPILING = f"{NAME}: compiling it for this machine, once\n"


def default_network() -> Network:
    return Network(NAME, MODELS[NAME], find_weights(NAME, MODELS[NAME]))


@pytest.fixture(scope="module")
def compiled(cache: Path) -> CompiledModel:
    compiled = compiled_model(default_network())
    assert isinstance(compiled, CompiledModel)
    return compiled


@pytest.fixture
def copied(compiled: CompiledModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the compiled model's folder in a cache of this test's own."""
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))
    folder = compiled_folder(default_network())
    shutil.copytree(compiled.folder, folder)
    return folder


def test_compiling_leaves_nothing_beside_the_folder(compiled: CompiledModel) -> None:
    # Only this network's: another worker may be compiling one of its own in the same cache.
    folder = compiled.folder
    left = sorted(path.name for path in folder.parent.iterdir() if folder.name in path.name)
    assert left == [folder.name]


def test_litert_gives_the_scores_of_keras(compiled: CompiledModel, samples: Path) -> None:
    litert, keras = load_model(engine="litert"), load_model(engine="keras")
    assert (litert.engine.name, keras.engine.name) == ("litert", "keras")
    batch = load_batch(list(expand([str(samples)])), litert.preprocessing)
    assert batch.shape == (5, 224, 224, 3)
    scores = litert.scores(batch)
    np.testing.assert_allclose(scores, keras.scores(batch), rtol=0, atol=1e-5)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    labels = [litert.labels[column].label for column in scores.argmax(axis=1)]
    assert labels == ["tiger_cat", "espresso", "daisy", "palace", "missile"]
    features, activations = litert.engine.run(batch[:2], ("features", "activations"))
    assert (features.shape, activations.shape) == ((2, 1280), (2, 7, 7, 1280))
    expected = keras.engine.run(batch[:2], ("activations", "features"))
    np.testing.assert_allclose(activations, expected[0], atol=1e-4)
    np.testing.assert_allclose(features, expected[1], atol=1e-4)
    np.testing.assert_allclose(features, activations.mean(axis=(1, 2)), atol=1e-5)


@pytest.mark.slow
def test_eight_processes_make_it_once(tmp_path: Path, samples: Path) -> None:
    command = [sys.executable, "-m", "imgcls", "predict", samples / "cat.jpg", "-f", "jsonl"]
    environment = os.environ | {"IMGCLS_CACHE": str(tmp_path / "cache")}
    started = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(8)
    ]
    ended = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0] * 8
    assert len({out for out, _ in ended}) == 1
    assert json.loads(ended[0][0])["predictions"][0]["label"] == "tiger_cat"
    assert sorted(err for _, err in ended) == [*[""] * 7, COMPILING]
    (folder,) = (tmp_path / "cache" / "compiled").glob("[!.]*")
    assert sorted(path.name for path in folder.iterdir()) == [
        *("facts.json", "kernel.npy", "model.tflite")
    ]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("facts.json", b""),
        ("facts.json", b"{"),
        ("facts.json", b"[]"),
        ("facts.json", b"{}"),
        ("facts.json", b"\xff\xfe"),
        ("facts.json", None),
        ("model.tflite", b"TFL3"),
        ("model.tflite", None),
    ],
)
def test_damaged_model_is_never_used(copied: Path, file: str, content: bytes | None) -> None:
    made = made_of(default_network(), "float32")
    assert isinstance(read_compiled(copied, made), CompiledModel)
    if content is None:
        (copied / file).unlink()
    else:
        (copied / file).write_bytes(content)
    with pytest.raises(UnusableError, match="is damaged"):
        read_compiled(copied, made)


@pytest.mark.slow
def test_damaged_model_is_made_anew_with_one_warning(
    copied: Path, samples: Path, imgcls: Imgcls
) -> None:
    model = copied / "model.tflite"
    damaged = bytearray(model.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    model.write_bytes(damaged)
    done = imgcls("predict", samples / "cat.jpg", "-k1")
    assert done.returncode == 0
    assert done.stdout.endswith("cat.jpg: tiger_cat (37.45%)\n")
    warning = f"Warning: {copied}: the compiled model is damaged; it is made anew\n"
    assert done.stderr == warning + COMPILING
    assert model.read_bytes() != bytes(damaged)
    assert imgcls("predict", samples / "cat.jpg", "-k1").stderr == ""


@pytest.mark.slow
def test_cache_that_cannot_be_written_gives_way_with_one_warning(
    samples: Path, imgcls: Imgcls, tmp_path: Path
) -> None:
    environment = {"IMGCLS_CACHE": "/dev/null/x", "TMPDIR": str(tmp_path)}
    done = imgcls("predict", samples / "cat.jpg", "-k1", env=environment)
    assert done.returncode == 0
    assert done.stdout.endswith("cat.jpg: tiger_cat (37.45%)\n")
    first, second, *more = done.stderr.splitlines(keepends=True)
    assert first.startswith("Warning: /dev/null/x: the cache cannot be written (Not a directory)")
    assert (second, more) == (COMPILING, [])
    assert list(tmp_path.iterdir()) == []  # and is gone with the process


def test_key_changes_with_weights_row_and_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "a.h5"
    weights.write_bytes(b"one")
    folders = {compiled_folder(Network("vgg16", MODELS["vgg16"], weights))}
    folders.add(compiled_folder(Network("vgg16", MODELS["vgg19"], weights)))
    monkeypatch.setattr("imgcls.core.version.__version__", "9.9")
    folders.add(compiled_folder(Network("vgg16", MODELS["vgg16"], weights)))
    weights.write_bytes(b"other")
    folders.add(compiled_folder(Network("vgg16", MODELS["vgg16"], weights)))
    assert len(folders) == 4


def refuse(folder: Path) -> None:
    facts = read_facts(folder / "facts.json")
    (folder / "facts.json").write_bytes(facts_text(facts | {"unsupported": "no such operation"}))


def test_network_that_litert_cannot_run_runs_on_keras(
    copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(copied)
    assert compiled_model(default_network()) == Unsupported("no such operation")
    with caplog.at_level(logging.DEBUG, "imgcls"):
        engine = open_engine(default_network())
    assert engine.name == "keras"
    assert f"{NAME} runs on Keras: no such operation" in caplog.messages
    with pytest.raises(ModelError, match=r"cannot run on LiteRT \(no such operation\); use "):
        open_engine(default_network(), "litert")


@pytest.mark.slow
def test_fallback_is_said_under_verbose_only(copied: Path, samples: Path, imgcls: Imgcls) -> None:
    refuse(copied)
    done = imgcls("predict", samples / "cat.jpg", "-k1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("cat.jpg: tiger_cat (37.45%)\n")
    done = imgcls("-v", "predict", samples / "cat.jpg", "-k1")
    assert done.returncode == 0
    assert f"{NAME} runs on Keras: no such operation\n" in done.stderr


def test_a_checkpoint_is_refused_before_the_compiler_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("the compiler was started")

    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("imgcls.core.child.run_child", start)
    path = tmp_path / "small.pth"
    path.write_bytes(b"\x80\x02K\x01r\x00\x00\x00\x38.")
    with pytest.raises(WeightsError, match=r"small\.pth: not a checkpoint that imgcls reads"):
        compiled_model(Network(NAME, MODELS[NAME], path))
