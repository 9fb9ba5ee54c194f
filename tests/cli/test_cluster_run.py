"""What is refused of a cluster's output, and what its job says; runs are in test_clustering."""

from __future__ import annotations

import pytest

from imgcls.cli.cluster_run import named
from imgcls.cli.main import run


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["predict", *arguments])
    return code, capsys.readouterr().err.removeprefix("Error: ").strip()


def test_wrong_output(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ray")
    local = ("in", "--cluster", "local")
    said = "--cluster writes a folder of parts; name it with --output"
    assert error_of(capsys, *local) == (2, said)
    said = "--cluster writes parquet or jsonl; leave out --format csv"
    assert error_of(capsys, *local, "-o", "out", "-f", "csv") == (2, said)


def test_a_jobs_inputs_are_what_was_named() -> None:
    assert named(("a", "b"), None) == ("a", "b")
    assert named((), "list.txt") == ("list.txt",)
