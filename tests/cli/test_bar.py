"""The bar on a real terminal: a pseudo terminal of 80 columns and 24 rows."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from imgcls.cli import bar as module
from imgcls.cli.bar import Bar, Spinner, above_lines, facts


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
        bar = Bar("image", total, started=time.monotonic() - 300)
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
        bar = Bar("image", 600, title="fine-tuning 10/10", status=lambda: status, started=0.0)
        bar.update(300)
        bar.stop()
        last = lines()[-1].rstrip()
    assert re.fullmatch(f"fine-tuning 10/10 .{{8}} {status}", last)
    assert len(last) <= 80


@pytest.mark.posix
def test_a_total_that_is_known_later() -> None:
    found: list[int] = []
    with terminal() as lines:
        bar = Bar("image", lambda: found[0] if found else None, started=time.monotonic() - 10)
        bar.update(5)
        found.append(20)
        bar.update(10)
        bar.stop()
        last = lines()[-1].rstrip()
    assert last.endswith("10/20 images (50%), 1.0 images/s, 10 s left")


@pytest.mark.posix
def test_what_takes_long_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHOWN_AFTER", 0.0)
    spin = Spinner()
    with terminal() as lines:
        with spin("opening vgg16"), spin("compiling vgg16 for this machine, usually 3 min"):
            seen = wait_for("compiling", lines)
            spin.pause()
            spin.resume()
            seen += wait_for("compiling", lines)
        assert spin._line is None and module._lines == []
    assert all(len(line.rstrip()) <= 80 for line in seen)
    last = seen[-1].rstrip()
    assert re.fullmatch(r". compiling vgg16 for this machine, usually 3 min \(\d s\)", last)


@pytest.mark.posix
def test_what_is_silent_is_shown_to_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras is started with what native code writes kept from standard error."""
    monkeypatch.setattr(module, "SHOWN_AFTER", 0.1)
    with terminal() as lines, open(os.devnull, "w") as nowhere:
        descriptor = sys.stderr.fileno()
        with Spinner()("starting TensorFlow"):
            os.dup2(nowhere.fileno(), descriptor)
            seen = wait_for("starting", lines)
    assert re.fullmatch(r". starting TensorFlow \(\d s\)", seen[-1].rstrip())


@pytest.mark.posix
def test_what_is_over_at_once_is_not_shown() -> None:
    with terminal() as lines:
        with Spinner()("opening"):
            pass
        assert lines() == []


@pytest.mark.posix
def test_results_come_to_stand_above() -> None:
    with terminal() as lines:
        bar = Bar("image", 10, started=time.monotonic() - 10)
        with above_lines():
            sys.stderr.write("a.jpg: cat\n")
            sys.stderr.flush()
        bar.update(1)
        bar.stop()
        assert "a.jpg: cat" in [line.rstrip() for line in lines()]
    with above_lines():
        pass  # nothing stands there


def wait_for(text: str, lines: Callable[[], list[str]]) -> list[str]:
    """Return all lines until one holds a text; a test that fails takes ten seconds."""
    deadline = time.monotonic() + 10
    seen: list[str] = []
    while not any(text in line for line in seen):
        assert time.monotonic() < deadline, seen
        seen += lines()
    return seen


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [
        (0, 10, 0.0, "0/10 photos (0%)"),
        (5, 10, 2.5, "5/10 photos (50%), 2.0 photos/s, 2 s left"),
        (9, 10, 3.0, "9/10 photos (90%), 3.0 photos/s, less than 1 s left"),
        (10, 10, 5.0, "10/10 photos (100%), 2.0 photos/s"),
        (10, None, 5.0, "10 photos, 2.0 photos/s"),
        (1, None, 0.5, "1 photo, 2.0 photos/s"),
        (1, 1, 0.5, "1/1 photo (100%), 2.0 photos/s"),
        (11, 10, 5.5, "11 photos, 2.0 photos/s"),
    ],
)
def test_facts_are_a_count_a_rate_and_the_time_left(
    done: int, total: int | None, seconds: float, text: str
) -> None:
    assert facts(done, total, "photo", seconds) == text


def test_units_of_other_plurals() -> None:
    assert facts(1, 1, "batch", 0.0) == "1/1 batch (100%)"
    assert facts(1, None, "batch", 2.0) == "1 batch, 0.5 batches/s"
    assert facts(1, 5, "MB", 0.5) == "1/5 MB (20%), 2.0 MB/s, 2 s left"
