"""Ctrl-C, SIGTERM and a closed terminal end a command tidily, at whatever moment they come.

Nothing but what Python has loaded already is imported here: the handlers stand before anything
else of imgcls is read.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from types import FrameType

# Signal → what it is called, exit code. A closed terminal ends a command like SIGTERM.
_ENDINGS = {
    "SIGINT": ("interrupted", 130),
    "SIGTERM": ("terminated", 143),
    "SIGHUP": ("terminated", 143),
}
# One press of Ctrl-C can arrive twice; what comes this much later is meant to end it at once.
_SAME_PRESS = 1.0  # seconds
# How often, and for how long, a stop waits for an import that is under way: an exception in the
# middle of one would come out as an ImportError.
_IMPORT_STEP = 0.01  # seconds
_IMPORT_WAIT = 1.0

_first: float | None = None  # when the first signal came
_begun = _over = False


class Stopped(BaseException):
    """A signal came; its arguments are what to say and the exit code."""


raised: Stopped | None = None


def handle() -> None:
    """Take the signals over, but leave alone what the caller ignores, as nohup and `&` do."""
    for name in _ENDINGS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def begin() -> None:
    """From now on a signal raises `Stopped`; before, it ends the process at once."""
    global _begun
    _begun = True
    sys.unraisablehook = _lost


def finish() -> None:
    """From now on the command is done: a signal changes nothing."""
    global _over
    _over = True


def _stop(number: int, frame: FrameType | None) -> None:
    global _first, raised
    if _over:
        return
    now = time.monotonic()
    ending = _ENDINGS[signal.Signals(number).name] if number != _retry() else _pending
    if not _begun:
        _end_now(*ending)
    if _first is None:
        _first = now
    elif raised is not None:
        if now - _first > _SAME_PRESS:
            _end_now(*ending)
        return
    if _is_importing(frame):
        if now - _first > _IMPORT_WAIT:
            _end_now(*ending)
        if _try_again(ending):
            return
    raised = Stopped(*ending)
    raise raised


def _lost(unraisable: sys.UnraisableHookArgs) -> None:
    """Stop again where Python swallows the exception, as in a `__del__`."""
    global raised
    if isinstance(unraisable.exc_value, Stopped) and _try_again(unraisable.exc_value.args):
        raised = None
    elif _first is None:  # else it is of what the stop left half done
        sys.__unraisablehook__(unraisable)


_pending = ("interrupted", 130)


def _retry() -> int | None:
    return getattr(signal, "SIGALRM", None)


def _try_again(ending: tuple[str, int]) -> bool:
    """Let the handler be called again in a moment; False where the system cannot."""
    global _pending
    number = _retry()
    if number is None:
        return False
    _pending = ending
    signal.signal(number, _stop)
    signal.setitimer(signal.ITIMER_REAL, _IMPORT_STEP)
    return True


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _end_now(word: str, code: int) -> None:
    """End the process without another line of Python."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):  # nobody reads it
            os.write(2, f"Error: {word}\n".encode())
    os._exit(code)
