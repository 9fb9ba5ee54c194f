"""Start Keras without its log lines."""

from __future__ import annotations

from typing import Any

from imgcls.core.quiet import native_output_silenced, quiet_tensorflow


def import_keras() -> Any:
    """Import Keras without its log lines and return the module."""
    quiet_tensorflow()
    with native_output_silenced():
        import keras
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        tf.config.list_logical_devices()  # looks for GPUs now, and complains of none in here
    return keras
