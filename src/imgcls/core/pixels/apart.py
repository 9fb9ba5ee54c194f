"""Decode one image in a process of its own, with limits on time and memory.

Python cannot stop a decoder that takes too long, and cannot take back what one has taken; the
system can. The two processes talk in lines of JSON; pixels follow a line that announces them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any

from PIL import Image

from imgcls.core.child import end_with_parent
from imgcls.core.errors import ImageError
from imgcls.core.pixels.decode import MAX_MEMORY, Decoded, LeastSize, decode

SECONDS = 8.0  # the start of the process included
_COMMAND = "from imgcls.core.pixels.apart import main; main()"


def decode_apart(content: bytes, least_size: LeastSize | None = None) -> Decoded:
    """Decode an image as `decode` does, in a process that ends after 8 seconds.

    Raises:
        ImageError: as by `decode`; or it takes too long or too much memory, now or as the strips
            are taken.
    """
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", _COMMAND, str(len(content)), str(SECONDS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # each thread would take memory
    )
    too_late = threading.Event()

    def end() -> None:
        too_late.set()
        child.kill()

    clock = threading.Timer(SECONDS, end)
    clock.daemon = True
    clock.start()
    talk = _talk(child, content, least_size, too_late)
    try:
        head = next(talk)
    except BaseException:
        _finish(child, clock)
        raise
    return Decoded(strips=_strips(talk, child, clock), **head)


def _finish(child: subprocess.Popen[bytes], clock: threading.Timer) -> None:
    clock.cancel()
    child.kill()
    with child:  # closes its pipes and waits
        pass


def _strips(
    talk: Iterator[Any], child: subprocess.Popen[bytes], clock: threading.Timer
) -> Iterator[Image.Image]:
    try:
        yield from talk
    finally:
        _finish(child, clock)


def _talk(
    child: subprocess.Popen[bytes],
    content: bytes,
    least_size: LeastSize | None,
    too_late: threading.Event,
) -> Iterator[Any]:
    """Yield what `Decoded` is made of, then its strips."""
    assert child.stdin and child.stdout
    try:
        child.stdin.write(content)
        child.stdin.flush()
        width = 0
        while (message := _hear(child.stdout)) != "done":
            if "error" in message:
                raise ImageError(message["error"])
            if "upright" in message:
                least = least_size(*message["upright"]) if least_size else None
                _say(child.stdin, least)
            elif "rows" in message:
                size = width, message["rows"]
                yield Image.frombytes("RGB", size, _exactly(child.stdout, 3 * size[0] * size[1]))
            else:
                width = message["size"][0]
                yield message | {"size": tuple(message["size"])}
    except (OSError, EOFError, ValueError):  # it has ended; why, it cannot say
        raise ImageError(
            f"takes longer than {SECONDS:.0f} s to decode"
            if too_late.is_set()
            else "takes too much memory to decode, or crashes its decoder"
        ) from None


def main() -> None:
    """Be the process: the content comes on stdin, the answer goes to stdout."""
    length, seconds = int(sys.argv[1]), float(sys.argv[2])
    end_with_parent()
    _limit(MAX_MEMORY - length, seconds)
    inward, outward = sys.stdin.buffer, sys.stdout.buffer

    def ask(width: int, height: int) -> tuple[int, int] | None:
        _say(outward, {"upright": [width, height]})
        least = _hear(inward)
        return tuple(least) if least else None

    try:
        found = decode(_exactly(inward, length), ask, slow_too=True)
        head = {key: getattr(found, key) for key in ("width", "height", "orientation", "size")}
        _say(outward, head)
        for strip in found.strips:
            _say(outward, {"rows": strip.height})
            outward.write(strip.tobytes())
        _say(outward, "done")
    except ImageError as error:
        _say(outward, {"error": str(error)})


def _limit(memory: int, seconds: float) -> None:
    """Let the system end this process; where it cannot, the parent minds the time."""
    try:
        import resource
        import signal
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has it too, and ends this process
    signal.alarm(int(seconds) + 2)  # if the parent is gone, and the system did not notice


def _say(stream: IO[bytes], message: object) -> None:
    stream.write(json.dumps(message).encode() + b"\n")
    stream.flush()


def _hear(stream: IO[bytes]) -> Any:
    return json.loads(stream.readline())  # nothing more is no JSON, so a ValueError


def _exactly(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) < count:
        raise EOFError
    return content
