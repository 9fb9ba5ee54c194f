"""Which engine runs a network, and what happens where a model cannot be compiled."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from imgcls.core.engines.compiled import compile
from imgcls.core.engines.opening import open_engine
from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights


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
