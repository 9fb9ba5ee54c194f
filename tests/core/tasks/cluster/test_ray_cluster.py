"""What is said where there is no Ray, no cluster, or workers fail. No cluster is started here."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import pytest

from imgcls.core.errors import ClusterError, OutputError, UsageError
from imgcls.core.tasks.cluster import ray_cluster
from imgcls.core.tasks.cluster.job_folder import Note
from imgcls.core.tasks.cluster.ray_cluster import check_ray
from imgcls.core.tasks.cluster.work import Worker


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"needs Ray, .*; pip install 'imgcls\[cluster\]'"):
        check_ray()


def test_a_version_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(metadata, "version", lambda name: "2.9.3")
    with pytest.raises(UsageError, match=r"^Ray 2\.9\.3 is too old, `cluster` needs 2\.\d+"):
        check_ray()


class Broken(Worker):
    """A worker whose parts fail as their names say."""

    def __init__(self) -> None:
        """Open nothing."""

    def do(self, part: str) -> Note:
        if part == "full":
            raise OutputError("out: cannot be written: No space left")
        if part == "strange":
            raise ZeroDivisionError("division\nby zero")
        return Note(part, size=3, images=1, errors=[["a.jpg", "cut"]])


@pytest.mark.parametrize(
    ("part", "kind", "said"),
    [
        ("full", OutputError, r"^out: cannot be written: No space left$"),
        (
            "strange",
            ClusterError,
            r"^strange: a worker failed \(ZeroDivisionError: division by zero\); `verbose` shows",
        ),
    ],
)
def test_what_a_worker_raises_arrives(
    part: str, kind: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray wraps exceptions so that nothing but their text is left, in many lines of others."""
    pytest.importorskip("ray")
    monkeypatch.setattr(ray_cluster, "_worker", ("order", Broken()))
    row = ray_cluster._do({"item": part}, order="order", content=None)
    with pytest.raises(kind, match=said):
        ray_cluster._received(row["note"])


def test_a_note_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setattr(ray_cluster, "_worker", ("order", Broken()))
    row = ray_cluster._do({"item": "fine"}, order="order", content=None)
    assert ray_cluster._received(row["note"]) == Broken().do("fine")


def test_what_nobody_foresaw() -> None:
    found = ray_cluster._failed(RuntimeError("Traceback\nThe object was lost\n"))
    assert str(found) == "the cluster failed (The object was lost); `verbose` shows more"


def test_a_node_without_imgcls() -> None:
    found = ray_cluster._failed(RuntimeError("x\nModuleNotFoundError: No module named 'imgcls'"))
    assert str(found).startswith("a node of the cluster has no imgcls, or another version; install")


def test_signals_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ray_cluster._signals_kept():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.posix
def test_what_a_killed_run_left_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = [f"imgcls-ray-{ended.pid}-left", f"imgcls-ray-{os.getpid()}-mine", "imgcls-ray-else"]
    for name in names:
        (tmp_path / name).mkdir()
    with ray_cluster._temporary_folder() as folder:
        assert sorted(os.listdir(tmp_path)) == sorted([*names[1:], os.path.basename(folder)])
    assert sorted(os.listdir(tmp_path)) == sorted(names[1:])
