from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from imgcls.core.telemetry import import_onnxruntime, import_openvino

# OpenVINO's package starts a process that connects, ONNX Runtime writes a number for the user.
_USE = """
import sys
from imgcls.core.telemetry import import_onnxruntime, import_openvino

import_openvino().Core()
assert "openvino_telemetry" not in sys.modules
onnxruntime = import_onnxruntime()
onnxruntime.InferenceSession(sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.posix
def test_they_leave_nothing_in_the_home_folder(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    for package in ("onnxruntime", "openvino"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    tensor = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("Neg", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "g", [tensor], [result])
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "m.onnx")
    home = tmp_path / "home"
    home.mkdir()
    folders = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "TMPDIR": str(home)}
    chosen = ("ORT_DISABLE_TELEMETRY", "CI", "TF_BUILD", "JENKINS_URL")  # silent anyway
    environment = {key: value for key, value in os.environ.items() if key not in chosen} | folders
    command = [sys.executable, "-c", _USE, tmp_path / "m.onnx"]
    subprocess.run(command, env=environment, check=True, timeout=60)
    assert list(home.rglob("*")) == []


def test_what_was_imported_before_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setitem(sys.modules, "openvino_telemetry", sys)
    assert import_openvino().Core
    assert sys.modules["openvino_telemetry"] is sys


def test_onnx_runtime_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    assert import_onnxruntime().InferenceSession
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
