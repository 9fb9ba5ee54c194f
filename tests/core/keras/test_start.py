"""Keras starts in silence, and leaves the terminal as it was."""

from __future__ import annotations

import logging
import os

import pytest

from imgcls.core.keras.start import import_keras


def test_it_is_keras_with_tensorflow() -> None:
    import keras

    assert import_keras() is keras
    assert keras.backend.backend() == "tensorflow"


def test_the_terminal_is_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    import_keras()
    os.write(1, b"out\n")
    os.write(2, b"err\n")
    assert capfd.readouterr() == ("out\n", "err\n")


def test_tensorflow_only_logs_errors() -> None:
    import_keras()
    assert logging.getLogger("tensorflow").level == logging.ERROR
