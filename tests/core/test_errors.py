"""Any exception of one image, as the line of its record."""

from __future__ import annotations

import logging

import pytest

from imgcls.core.errors import ImageError, ModelError, as_image_error, one_line


def test_an_image_error_is_returned_as_it_is() -> None:
    error = ImageError("truncated JPEG")
    assert as_image_error(error) is error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "too large for the memory that is free"),
        (PermissionError(13, "Permission denied"), "permission denied"),
        (ModelError("no layer"), "no layer"),
        (KeyError("x"), "it cannot be used (KeyError: 'x')"),
        (RuntimeError(), "it cannot be used (RuntimeError)"),
        (ValueError("two\nlines\x1b[2J"), "it cannot be used (ValueError: two lines [2J)"),
    ],
)
def test_other_errors_are_one_line(error: Exception, reason: str) -> None:
    assert str(as_image_error(error)) == reason


def test_the_traceback_is_logged_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    error = RuntimeError("odd")
    with caplog.at_level(logging.DEBUG, "imgcls"):
        as_image_error(error)
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == [error]


def test_one_line_is_printable_and_bounded() -> None:
    assert one_line("a\x00b\tc\u202e d") == "a b c d"
    assert one_line("x" * 201) == "x" * 199 + "…"
