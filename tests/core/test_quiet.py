from __future__ import annotations

import os
from pathlib import Path

import pytest

from imgcls.core.quiet import native_lines_removed


@pytest.mark.parametrize("memory", [True, False])
def test_only_the_known_line_is_removed(
    memory: bool, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    with native_lines_removed(b"INFO: "):
        os.write(2, b"INFO: created\nan error\n")
        assert capfd.readouterr().err == ""
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "an error\nlater\n"


def test_without_a_file_to_hold_it_all_is_shown(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as here:
        here.delattr(os, "memfd_create", raising=False)
        here.setattr("tempfile.tempdir", str(tmp_path / "absent"))
        with native_lines_removed(b"INFO: "):
            os.write(2, b"INFO: created\n")
    assert capfd.readouterr().err == "INFO: created\n"
