"""Start Keras as imgcls needs it: on TensorFlow, channels last, float32, without log lines."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

from imgcls.core.errors import ModelError
from imgcls.core.hidden_modules import hidden_modules
from imgcls.core.progress import working
from imgcls.core.quiet import native_output_silenced, quiet_tensorflow

# What Keras and TensorFlow import wherever it is installed, for parts that imgcls does not use:
# 2 of the 4 seconds that they take to start.
_UNUSED = ("matplotlib", "pandas", "sklearn")


def import_keras(*, alone: bool = False) -> Any:
    """Import Keras without its log lines and return the module.

    What KERAS_BACKEND or a keras.json says is meant for other programs: a process that has not
    imported Keras yet gets the settings that imgcls needs.

    Args:
        alone: nobody else's code runs in this process, so Keras need not find what only that
            would use it with: pandas, matplotlib and scikit-learn.

    Raises:
        ModelError: the program that called has set Keras otherwise.
    """
    quiet_tensorflow()
    is_first = "keras" not in sys.modules
    if is_first:
        os.environ["KERAS_BACKEND"] = "tensorflow"
    starting = working("starting TensorFlow") if is_first else contextlib.nullcontext()
    unused = hidden_modules(*_UNUSED) if alone and is_first else contextlib.nullcontext()
    with starting, unused, native_output_silenced():
        import keras
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        tf.config.list_logical_devices()  # looks for GPUs now, and complains of none in here
    if is_first:
        keras.config.set_image_data_format("channels_last")
        keras.config.set_floatx("float32")
    _check_settings(keras)
    return keras


def _check_settings(keras: Any) -> None:
    backend, layout = keras.config.backend(), keras.config.image_data_format()
    dtype = keras.config.dtype_policy().name
    for found, needed in (
        (backend, "tensorflow"),
        (layout, "channels_last"),
        (dtype, "float32"),
    ):
        if found != needed:
            raise ModelError(
                f"this program has set Keras to {found}, imgcls needs {needed}; set it back before "
                "imgcls is called"
            )
