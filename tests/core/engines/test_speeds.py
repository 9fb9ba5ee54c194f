"""Which engine is done first, and for how long the figures hold."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from imgcls.core.engines import speeds as module
from imgcls.core.engines.compiled.folder import CompiledModel
from imgcls.core.engines.speeds import (
    PACKAGES,
    SPEEDS_FILE,
    Speed,
    Speeds,
    _version,
    keep_speeds,
    kept_speeds,
)

# OpenVINO makes 100 images a second where LiteRT makes 80, and opens in half a second more.
ALL = {"litert": Speed(0.1, 80), "openvino": Speed(0.6, 100)}
ONE = {"litert": Speed(0.1, 50), "openvino": Speed(0.6, 52)}
FIGURES = Speeds(ONE, ALL, cores=2, decoding=0.002)


def of(folder: Path, sha256: str = "12ab") -> CompiledModel:
    return CompiledModel(folder, {"sha256": sha256})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize(
    ("images", "threads", "expected"),
    [
        (1, 2, "litert"),
        (150, 2, "litert"),  # 1.98 s against 2.1 s
        (300, 2, "openvino"),  # 3.85 s against 3.6 s
        (100_000, 1, "litert"),  # 4% are not clear
        (100_000, 8, "openvino"),
    ],
)
def test_the_engine_that_is_done_first(images: int, threads: int, expected: str) -> None:
    assert FIGURES.best(images, threads) == expected


def test_from_how_many_images_on() -> None:
    assert FIGURES.least_images("openvino") == 270  # 95% of 3.475 s against 3.3 s
    assert FIGURES.least_images("litert") == 1
    slow = {"litert": Speed(0.1, 80), "openvino": Speed(0.6, 79)}
    assert Speeds(slow, slow, 2).least_images("openvino") is None


def test_an_engine_alone_is_the_best() -> None:
    alone = {"openvino": Speed(0.6, 100)}
    assert Speeds(alone, alone, 2).best(1, 2) == "openvino"


def test_the_versions_are_those_that_the_packages_name() -> None:
    for package in (*PACKAGES.values(), "numpy"):  # by the folder's name
        if importlib.util.find_spec(package.replace("-", "_")) is not None:
            assert _version(package) == metadata.version(package)
    assert _version("typing-extensions") == metadata.version("typing-extensions")  # a module


def test_figures_are_kept_as_they_were_timed(folder: Path) -> None:
    assert kept_speeds(of(folder)) is None
    keep_speeds(of(folder), FIGURES)
    assert kept_speeds(of(folder)) == FIGURES


def another_processor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "processor", lambda: "another")


def fewer_cores(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "usable_cores", lambda: 64)


def openvino_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "installed_engines", lambda: ["litert"])


def a_changed_byte(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / SPEEDS_FILE
    file.write_bytes(file.read_bytes().replace(b"100", b"900"))


def a_cut_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / SPEEDS_FILE).write_bytes((folder / SPEEDS_FILE).read_bytes()[:40])


def a_folder_in_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / SPEEDS_FILE).unlink()
    (folder / SPEEDS_FILE).mkdir()


@pytest.mark.parametrize(
    "change",
    [
        *(another_processor, fewer_cores, openvino_removed),
        *(a_changed_byte, a_cut_file, a_folder_in_its_place),
    ],
)
def test_figures_hold_no_longer(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path, pytest.MonkeyPatch], None],
) -> None:
    keep_speeds(of(folder), FIGURES)
    change(folder, monkeypatch)
    assert kept_speeds(of(folder)) is None


def test_figures_of_another_model_do_not_hold(folder: Path) -> None:
    keep_speeds(of(folder), FIGURES)
    assert kept_speeds(of(folder, "34cd")) is None


def test_figures_of_no_engine_are_none(folder: Path) -> None:
    keep_speeds(of(folder), Speeds({}, {}, 2))
    assert kept_speeds(of(folder)) is None


def test_an_engine_that_brings_the_child_down_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def child(code: str, request: str, *, show: bool) -> subprocess.CompletedProcess[bytes]:
        _, engines, cores = json.loads(request)
        asked.append(engines)
        if "openvino" in engines:
            return subprocess.CompletedProcess([], -11, b"", b"")
        alone = {name: ALL[name] for name in engines}
        keep_speeds(of(folder), Speeds(alone, alone, cores))
        return subprocess.CompletedProcess([], 0, b"", b"")

    monkeypatch.setenv("IMGCLS_CACHE", str(folder / "cache"))
    monkeypatch.setattr(module, "run_child", child)
    monkeypatch.setattr(module, "_conditions", lambda _: {"cores": 2})
    monkeypatch.setattr(module, "installed_engines", lambda: ["litert", "openvino"])
    found = module.time_engines("net", of(folder))
    assert found is not None
    assert set(found.all) == {"litert"}
    assert asked == [["litert", "openvino"], ["litert"]]
    # Not again in the next run.
    assert module.time_engines("net", of(folder)) == found
    assert len(asked) == 2


def test_where_none_can_be_timed_the_run_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMGCLS_CACHE", str(folder / "cache"))
    monkeypatch.setattr(
        module, "run_child", lambda *_, **__: subprocess.CompletedProcess([], 1, b"", b"why\n")
    )
    assert module.time_engines("net", of(folder)) is None
