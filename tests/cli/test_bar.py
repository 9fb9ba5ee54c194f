"""The bar on a real terminal: a pseudo terminal of 80 columns and 24 rows."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from imgcls.cli.bar import Bar, facts


@contextlib.contextmanager
def terminal() -> Iterator[Callable[[], list[str]]]:
    """Make standard error a terminal; give what returns all lines that stood on it."""
    import fcntl
    import struct
    import termios

    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.set_blocking(master, False)

    def lines() -> list[str]:
        content = b""
        with contextlib.suppress(BlockingIOError):
            while block := os.read(master, 2**16):
                content += block
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", content.decode())
        return [line for line in re.split(r"[\r\n]+", plain) if line.strip()]

    with pytest.MonkeyPatch.context() as patch, open(slave, "w") as stderr:
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
            patch.delenv(name, raising=False)
        patch.setenv("TERM", "xterm-256color")
        patch.setattr(sys, "stderr", stderr)
        yield lines
    os.close(master)


@pytest.mark.posix
@pytest.mark.parametrize("total", [1000, None])
def test_how_far_images_are(total: int | None) -> None:
    with terminal() as lines:
        bar = Bar("images", total, started=time.monotonic() - 300)
        bar.update(120)
        bar.stop()
        last = lines()[-1]
    assert len(last) <= 80
    expected = {
        1000: "120/1000 images (12%), 0.4 images/s, 37 min left",
        None: "120 images, 0.4 images/s",
    }[total]
    assert last.rstrip().endswith(expected)
    assert last.startswith("━" * 2)


@pytest.mark.posix
def test_a_training_fits_80_columns() -> None:
    status = "loss 0.1234, accuracy 100.00%, ≤ 1 h 12 min left"
    with terminal() as lines:
        bar = Bar("images", 600, title="fine-tuning 10/10", status=lambda: status, started=0.0)
        bar.update(300)
        bar.stop()
        last = lines()[-1].rstrip()
    assert re.fullmatch(f"fine-tuning 10/10 .{{8}} {status}", last)
    assert len(last) <= 80


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [
        (0, 10, 0.0, "0/10 photos (0%)"),
        (5, 10, 2.5, "5/10 photos (50%), 2.0 photos/s, 2 s left"),
        (9, 10, 3.0, "9/10 photos (90%), 3.0 photos/s, less than 1 s left"),
        (10, 10, 5.0, "10/10 photos (100%), 2.0 photos/s"),
        (10, None, 5.0, "10 photos, 2.0 photos/s"),
    ],
)
def test_facts(done: int, total: int | None, seconds: float, text: str) -> None:
    assert facts(done, total, "photos", seconds) == text
