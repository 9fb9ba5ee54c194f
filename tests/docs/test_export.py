"""The scripts of docs/export.md, run as they stand there, without imgcls."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import imgcls

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "export.md").read_text("utf-8")
SCRIPTS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
MODELS = [re.findall(r'"(model(?:\.(?!\w+\.json)\w+)?)"', script)[-1] for script in SCRIPTS]
Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]

# imgcls is not on the path: importing it fails.
_WITHOUT = "import sys; sys.modules['imgcls'] = None; exec(open('script.py').read())"


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_has_at_most_twelve_lines(script: str) -> None:
    lines = [line for line in script.splitlines() if line]
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 100


@pytest.mark.slow
@pytest.mark.parametrize(("name", "script"), zip(MODELS, SCRIPTS, strict=True))
def test_a_script_says_what_predict_says(
    name: str, script: str, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = {"model.onnx": "onnxruntime", "model.xml": "openvino"}
    pytest.importorskip(needed.get(name, "numpy"))
    monkeypatch.chdir(tmp_path)
    imgcls.export("efficientnet-lite0", name)
    Path("script.py").write_text(script, "utf-8")
    photo = samples / "cat.jpg"
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, photo], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (record,) = imgcls.classify(str(photo))
    rows = [line.rsplit(" ", 1) for line in done.stdout.splitlines()]
    assert [label for label, _ in rows] == [found.label for found in record.predictions]
    for (_, score), found in zip(rows, record.predictions, strict=True):
        assert float(score.rstrip("%")) == pytest.approx(100 * found.score, abs=0.02)
