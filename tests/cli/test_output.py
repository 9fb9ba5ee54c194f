"""What comes out on standard output."""

from __future__ import annotations

import pytest

from imgcls.cli.output import stdout_style, write_stdout
from imgcls.render.style import PLAIN


def test_text_and_bytes_come_out_as_they_are(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    write_stdout(["a\udcff\x1b", b"\x00"])
    assert capsysbinary.readouterr().out == b"a\xff\x1b\x00"


def test_output_that_is_no_terminal_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    assert stdout_style() is PLAIN
