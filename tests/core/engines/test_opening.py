"""Which engine runs a network, and what happens where a model cannot be compiled."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imgcls.core.engines import opening
from imgcls.core.engines import speeds as speeds_module
from imgcls.core.engines.compiled import compile
from imgcls.core.engines.compiled import folder as folder_module
from imgcls.core.engines.compiled.folder import (
    FACTS_FILE,
    CompiledModel,
    read_facts,
)
from imgcls.core.engines.opening import open_engine
from imgcls.core.engines.speeds import SPEEDS_FILE, Speed, Speeds, keep_speeds, kept_speeds
from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights
from imgcls.core.pixels.sources import Source
from imgcls.core.processor import processor, usable_cores


@pytest.fixture
def network() -> Network:
    spec = MODELS[DEFAULT_MODEL]
    return Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec))


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compile, "_run_child", fill)
    return tmp_path / "cache"


def test_keras_runs_what_a_full_disk_keeps_from_being_compiled(
    full_disk: Path, network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    assert open_engine(network).name == "keras"
    (message,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert message.endswith(
        ": cannot be written: No space left on device; make room there, or set IMGCLS_CACHE to "
        "another folder; this run does without, and is slower"
    )
    assert list((full_disk / "compiled").iterdir()) == []


def test_litert_by_name_needs_the_room(full_disk: Path, network: Network) -> None:
    with pytest.raises(OutputError, match="No space left on device; make room there"):
        open_engine(network, "litert")


def compiled_in(folder: Path) -> CompiledModel:
    return CompiledModel(folder, read_facts(folder / FACTS_FILE))


@pytest.fixture
def openvino_faster(
    compiled_default: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Give a cache in which OpenVINO was timed as ten times faster; return the model's folder."""
    pytest.importorskip("openvino")
    folder = tmp_path / "cache" / "compiled" / compiled_default.name
    shutil.copytree(compiled_default, folder)
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))
    speeds = {"litert": Speed(0.1, 10), "openvino": Speed(0.5, 100)}
    keep_speeds(compiled_in(folder), Speeds(speeds, speeds, usable_cores()))
    return folder


def test_auto_takes_what_was_the_fastest(network: Network, openvino_faster: Path) -> None:
    assert open_engine(network, images=1).name == "litert"
    assert open_engine(network, images=100).name == "openvino"
    assert open_engine(network, "litert", images=100).name == "litert"


def test_images_are_counted_where_there_is_a_choice(openvino_faster: Path) -> None:
    sources = [Source(name) for name in "abc"]
    count, again = opening.count_for_engine("auto", "float32", iter(sources))
    assert (count, list(again)) == (3, sources)
    count, again = opening.count_for_engine("litert", "float32", iter(sources))
    assert (count, list(again)) == (None, sources)


def test_a_run_says_that_openvino_made_its_records(
    network: Network, openvino_faster: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "imgcls")
    open_engine(network, images=19)
    assert caplog.messages == []
    open_engine(network, images=20)
    assert caplog.messages == [
        f"{DEFAULT_MODEL}: runs on OpenVINO, which was timed as the faster engine"
    ]


@pytest.mark.parametrize(
    ("int8", "float32", "where", "said"),
    [
        (29.4, 27.0, processor(), True),
        (26.5, 27.0, processor(), True),  # 2% are no gain
        (25.0, 27.0, processor(), False),
        (29.4, 27.0, "another processor", False),
        (29.4, None, processor(), False),  # made before float32 was timed beside it
    ],
)
def test_int8_that_gains_nothing_here_says_so(
    int8: float,
    float32: float | None,
    where: str,
    said: bool,
    network: Network,
    caplog: pytest.LogCaptureFixture,
) -> None:
    facts = {"milliseconds": int8, "processor": where}
    if float32 is not None:
        facts["float32_milliseconds"] = float32
    opening._say_if_no_gain(network, CompiledModel(Path("nowhere"), facts))
    expected = (
        f"{DEFAULT_MODEL}: int8 takes {int8} ms an image on one core of this processor, float32 "
        f"{float32} ms: it gains nothing here; leave out `precision` int8"
    )
    assert caplog.messages == ([expected] if said else [])


def test_a_named_number_of_images_or_none(network: Network, openvino_faster: Path) -> None:
    assert open_engine(network).name == "openvino"
    (openvino_faster / SPEEDS_FILE).unlink()
    assert open_engine(network).name == "litert"  # nothing is timed
    assert not (openvino_faster / SPEEDS_FILE).exists()


def test_litert_runs_where_openvino_fails_or_is_gone(
    network: Network, openvino_faster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imgcls.core.engines import openvino

    def refuse(*_: object) -> None:
        raise RuntimeError("cannot compile it")

    monkeypatch.setattr(openvino, "OpenVINOEngine", refuse)
    assert open_engine(network).name == "litert"
    monkeypatch.setattr(opening, "_openvino_installed", lambda: False)
    assert open_engine(network).name == "litert"


@pytest.mark.slow
def test_a_run_of_hundreds_times_the_engines_once(
    network: Network, openvino_faster: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "imgcls")
    (openvino_faster / SPEEDS_FILE).unlink()
    for _ in range(2):
        open_engine(network, images=1000)
    assert caplog.messages.count(f"{DEFAULT_MODEL}: timing the engines on this machine, once") == 1
    found = kept_speeds(compiled_in(openvino_faster))
    assert found is not None
    assert set(found.one) == set(found.all) == {"litert", "openvino"}


def test_int8_needs_litert(network: Network) -> None:
    with pytest.raises(UsageError, match=r"^`precision` int8 needs LiteRT"):
        open_engine(network, "keras", precision="int8")


def test_a_compiled_model_that_cannot_be_opened_is_one_line(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ai_edge_litert import interpreter

    def refuse(*_: object, **__: object) -> None:
        raise ValueError("Mmap of '3' failed with error '12'.\nThe model allocation is null")

    monkeypatch.setattr(interpreter, "Interpreter", refuse)
    with pytest.raises(ModelError, match=r"cannot be run \(Mmap .* null\); is there enough memory"):
        open_engine(network)


def test_facts_are_read_once(
    network: Network, openvino_faster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def noted(file: Path) -> dict[str, Any]:
        read.append(file.name)
        return read_facts(file)

    monkeypatch.setattr(folder_module, "read_facts", noted)
    monkeypatch.setattr(speeds_module, "read_facts", noted)
    assert open_engine(network, images=100).name == "openvino"
    assert read == [FACTS_FILE, SPEEDS_FILE]


@pytest.mark.parametrize(("engine", "is_imported"), [("litert", True), ("openvino", False)])
def test_only_what_will_be_used_is_imported(engine: str, is_imported: bool) -> None:
    code = (
        "import sys\n"
        "from imgcls.core.engines.opening import _import_meanwhile\n"
        f"_import_meanwhile({engine!r})\n"
        "print('ai_edge_litert.interpreter' in sys.modules, 'PIL.JpegImagePlugin' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{is_imported} True\n"
