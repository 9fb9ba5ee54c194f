"""The examples in the docstrings of the public functions, run as they stand there."""

from __future__ import annotations

import doctest
import inspect
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import imgcls

# `evaluate` reads what `finetune` wrote, so the order is a user's.
FUNCTIONS = (
    *("load_model", "fetch", "compile_model", "import_model", "summarize"),
    *("classify", "draw_predictions", "explain", "activations", "features"),
    *("audit", "finetune", "evaluate"),
)
SLOW_FUNCTIONS = ("export",)
METHODS = (
    *(imgcls.Explanation.overlay, imgcls.Explanation.panel, imgcls.Explanation.save),
    *(imgcls.Evaluation.save, imgcls.AuditReport.save),
)


def test_every_public_function_has_an_example() -> None:
    functions = {name for name in imgcls.__all__ if inspect.isfunction(getattr(imgcls, name))}
    assert functions == {*FUNCTIONS, *SLOW_FUNCTIONS}
    assert all(">>> " in (getattr(imgcls, name).__doc__ or "") for name in functions)


def test_examples(
    tmp_path: Path,
    samples: Path,
    draw_classes: Callable[[Path, int], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(samples, tmp_path / "sample_images")
    draw_classes(tmp_path / "photos", 12)
    monkeypatch.chdir(tmp_path)
    for name in FUNCTIONS:
        function = getattr(imgcls, name)
        for example in doctest.DocTestFinder(recurse=False).find(function, name, globs={}):
            assert doctest.DocTestRunner().run(example).attempted > 0, name
            assert capsys.readouterr().out == "", name
    for method in METHODS:
        (example,) = doctest.DocTestFinder(recurse=False).find(method, globs={})
        assert doctest.DocTestRunner().run(example).attempted > 0, method
        assert capsys.readouterr().out == "", method


@pytest.mark.slow
def test_slow_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SLOW_FUNCTIONS:
        function = getattr(imgcls, name)
        for example in doctest.DocTestFinder(recurse=False).find(function, name, globs={}):
            result = doctest.DocTestRunner().run(example)
            assert result.attempted > 0 == result.failed, name
