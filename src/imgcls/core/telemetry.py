"""Import the runtimes that tell their makers of their use, so that they do not.

The network is for what the user names; these would open connections without being asked, and
leave a number that stands for the user in their home folder.
"""

from __future__ import annotations

import os
from typing import Any

from imgcls.core.hidden_modules import hidden_modules


def import_openvino() -> Any:
    """Return the module `openvino`, which sends a message when it is imported unless it cannot."""
    with hidden_modules("openvino_telemetry"):
        import openvino
    return openvino


def import_onnxruntime() -> Any:
    """Return the module `onnxruntime`, which from 1.29 on sends what it runs unless told not to."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime
