"""Keras is what imgcls needs, whatever a user has set for other programs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from imgcls.core.errors import ModelError
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


@pytest.mark.slow
def test_a_process_of_our_own_starts_without_what_only_other_code_would_use() -> None:
    code = (
        "import sys\n"
        "from imgcls.core.keras.start import import_keras\n"
        "keras = import_keras(alone=True)\n"
        "print(sorted({'pandas', 'matplotlib', 'sklearn'} & set(sys.modules)))\n"
        "import matplotlib\n"  # is there for who asks for it later
        "print(keras.backend.backend(), matplotlib.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\ntensorflow matplotlib\n", "")


@pytest.mark.slow
def test_a_users_settings_for_other_programs_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text(
        '{"backend": "jax", "image_data_format": "channels_first", "floatx": "float16"}'
    )
    code = (
        "from imgcls.core.keras.start import import_keras\n"
        "config = import_keras().config\n"
        "print(config.backend(), config.image_data_format(), config.floatx())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("tensorflow channels_last float32\n", "")


@pytest.mark.parametrize(
    ("kind", "value", "needed"),
    [
        ("image_data_format", "channels_first", "channels_last"),
        ("dtype_policy", "mixed_float16", "float32"),
    ],
)
def test_what_the_calling_program_has_set_is_refused_in_words(
    kind: str, value: str, needed: str
) -> None:
    keras = import_keras()
    getattr(keras.config, f"set_{kind}")(value)
    try:
        with pytest.raises(ModelError, match=f"set Keras to {value}, imgcls needs {needed}"):
            import_keras()
    finally:
        getattr(keras.config, f"set_{kind}")(needed)
    assert import_keras() is keras
