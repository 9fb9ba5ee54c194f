"""Keep TensorFlow's and LiteRT's own log lines off the user's terminal."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

log = logging.getLogger("imgcls")


@contextlib.contextmanager
def native_output_silenced() -> Iterator[None]:
    """Send what C++ code writes straight to file descriptors 1 and 2 to nowhere.

    Python's own streams are flushed first, so nothing of theirs is lost. With `-v` (the logger
    at DEBUG) everything is shown. Not for use while other threads print.
    """
    if log.isEnabledFor(logging.DEBUG):
        yield
        return
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.ExitStack() as stack:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, nowhere)
        for descriptor in (1, 2):
            try:
                saved = os.dup(descriptor)
            except OSError:
                continue  # closed by the caller: nothing can be written there
            stack.callback(os.close, saved)
            stack.callback(os.dup2, saved, descriptor)
            os.dup2(nowhere, descriptor)
        yield


def quiet_tensorflow() -> None:
    """Ask TensorFlow and Keras for silence; call it before they are imported."""
    if log.isEnabledFor(logging.DEBUG):
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in ("tensorflow", "absl", "keras"):
        logging.getLogger(name).setLevel(logging.ERROR)
