"""Keep TensorFlow's and LiteRT's own log lines off the user's terminal."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from typing import IO

log = logging.getLogger("imgcls")

_DESCRIPTOR_LOCK = threading.Lock()


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


@contextlib.contextmanager
def native_lines_removed(start: bytes) -> Iterator[None]:
    """Remove the lines that begin with `start` from what is written to file descriptor 2.

    For code that writes one known line while other threads may print theirs: those come out
    when the block ends. With `-v` nothing is removed.
    """
    if log.isEnabledFor(logging.DEBUG):
        yield
        return
    with _DESCRIPTOR_LOCK, contextlib.ExitStack() as stack:
        try:
            caught = stack.enter_context(_nameless_file())
            saved = os.dup(2)
        except OSError:  # no file can be had, or the caller has closed 2 and nothing is written
            yield
            return
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            kept = b"".join(line for line in caught if not line.startswith(start))
            if kept:
                os.write(2, kept)


def _nameless_file() -> IO[bytes]:
    """Open a file that nobody else sees: in memory, or where there is none such, on the disk."""
    if hasattr(os, "memfd_create"):
        with contextlib.suppress(OSError):
            return os.fdopen(os.memfd_create("imgcls"), "w+b")
    import tempfile

    return tempfile.TemporaryFile()
