"""Names from strangers."""

from __future__ import annotations

import pytest

from imgcls.core.safe import printable, printable_lines, valid_unicode


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Käse 图.jpg", "Käse 图.jpg"),
        ("a\x1b[31m\r\n", "a\\x1b[31m\\x0d\\x0a"),
        ("\x9b\u202e\u2028", "\\x9b\\u202e\\u2028"),
        ("\udc9b\udcff", "\\x9b\udcff"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_are_kept() -> None:
    assert printable_lines("a\x07\nb\r\n") == "a\\x07\nb\\x0d\n"


def test_what_utf8_cannot_hold_is_written_out() -> None:
    assert valid_unicode("a\udcffé") == "a\\udcffé"
