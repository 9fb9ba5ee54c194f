"""A hundred kills over every command that writes: nothing is lost, repeated or left.

Each round begins anew, is ended three times at random moments, mostly as `kill -9` does, and is
then let to its end. What is there must be what an undisturbed run makes, and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

pytestmark = [pytest.mark.slow, pytest.mark.posix]

KILLS_A_ROUND = 3
PROGRAM = (sys.executable, "-m", "imgcls")

# Mostly what no program can answer.
SIGNALS = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]


class Killer:
    """Runs a program in a folder, and ends it at random moments of a run."""

    def __init__(self, folder: Path, seed: int, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.env = os.environ | (env or {})
        self.choose = random.Random(seed)

    def finish(self, command: Sequence[str]) -> float:
        """Run it to its end; return the seconds."""
        started = time.monotonic()
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "stumbled" not in done.stderr
        return time.monotonic() - started

    def kill(self, command: Sequence[str], seconds: float) -> None:
        """End it at a random moment of the `seconds` that it takes; it may be done by then."""
        child = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        number = self.choose.choice(SIGNALS)
        try:
            _, error = child.communicate(timeout=self.choose.uniform(0.1 * seconds, seconds))
        except subprocess.TimeoutExpired:
            child.send_signal(number)
            _, error = child.communicate(timeout=60)
        assert b"Traceback" not in error and b"stumbled" not in error, error
        assert child.returncode in (0, -signal.SIGKILL, 143, 130), error


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too: name → SHA-256."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).digest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def fill(samples: Path) -> Callable[[Path, int], Path]:
    """Fill a folder with so many photos, each of other bytes."""

    def fill(folder: Path, count: int) -> Path:
        photos = sorted(samples.glob("*.jpg"))
        folder.mkdir(parents=True)
        for number in range(count):
            content = photos[number % len(photos)].read_bytes()
            (folder / f"{number:03}.jpg").write_bytes(content + b"%d" % number)
        return folder

    return fill


Fill = Callable[[Path, int], Path]

# What lets `--resume` add to a finished output.
JOURNALS = [".out.jsonl.resume", ".whole.jsonl.resume"]


@pytest.mark.parametrize("seed", range(8))
def test_predict(tmp_path: Path, compiled_default: Path, fill: Fill, seed: int) -> None:
    fill(tmp_path / "photos", 40)
    killer = Killer(tmp_path, seed)
    seconds = killer.finish([*PROGRAM, "predict", "photos", "-o", "whole.jsonl"])
    resumed = [*PROGRAM, "predict", "photos", "-o", "out.jsonl", "--resume"]
    for _ in range(KILLS_A_ROUND):
        killer.kill(resumed, seconds)
    killer.finish(resumed)
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert sorted(os.listdir(tmp_path)) == [*JOURNALS, "out.jsonl", "photos", "whole.jsonl"]


@pytest.mark.parametrize("seed", range(7))
def test_heatmap(tmp_path: Path, compiled_default: Path, fill: Fill, seed: int) -> None:
    fill(tmp_path / "photos", 15)
    killer = Killer(tmp_path, seed)
    seconds = killer.finish([*PROGRAM, "heatmap", "photos", "-o", "whole"])
    for _ in range(KILLS_A_ROUND):
        killer.kill([*PROGRAM, "heatmap", "photos", "-o", "out"], seconds)
        for picture in (tmp_path / "out").rglob("[!.]*.png"):
            with Image.open(picture) as opened:
                opened.load()  # each is whole, whenever it ended
    killer.finish([*PROGRAM, "heatmap", "photos", "-o", "out"])
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    assert sorted(os.listdir(tmp_path)) == ["out", "photos", "whole"]


@pytest.mark.parametrize("seed", range(8))
def test_sort(tmp_path: Path, compiled_default: Path, fill: Fill, seed: int) -> None:
    photos = files(fill(tmp_path / "photos", 40))
    killer = Killer(tmp_path, seed)
    sort = [*PROGRAM, "predict", "photos", "--sort-into", "sorted", "--sort-mode", "move"]
    seconds = killer.finish([*PROGRAM, "predict", "photos", "-o", "whole.jsonl"])
    for _ in range(KILLS_A_ROUND):
        killer.kill([*sort, "-o", "out.jsonl", "--resume"], seconds)
    killer.finish([*sort, "-o", "out.jsonl", "--resume"])
    records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert sorted(record["path"] for record in records) == [f"photos/{name}" for name in photos]
    placed = {name: content for name, content in files(tmp_path / "sorted").items() if "/" in name}
    assert sorted(placed.values()) == sorted(photos.values())
    assert files(tmp_path / "photos") == {}
    for manifest in sorted((tmp_path / "sorted").glob("*.csv"), reverse=True):
        killer.finish([*PROGRAM, "predict", "--undo", os.fspath(manifest)])
    assert files(tmp_path / "photos") == photos
    left = [*JOURNALS, "out.jsonl", "photos", "sorted", "whole.jsonl"]
    assert sorted(os.listdir(tmp_path)) == left


@pytest.mark.parametrize("seed", range(5))
def test_finetune(
    tmp_path: Path, compiled_default: Path, draw_classes: Callable[[Path, int], Path], seed: int
) -> None:
    data = files(draw_classes(tmp_path / "data", 12))
    killer = Killer(tmp_path, seed, {"IMGCLS_CACHE": os.environ["IMGCLS_CACHE"]})
    seconds = killer.finish([*PROGRAM, "finetune", "data", "-o", "whole.safetensors"])
    resumed = [*PROGRAM, "finetune", "data", "-o", "out.safetensors", "--resume"]
    for _ in range(KILLS_A_ROUND):
        if (tmp_path / "out.safetensors").exists():
            break  # it was quicker, and would refuse to begin again
        killer.kill(resumed, seconds)
    if not (tmp_path / "out.safetensors").exists():
        killer.finish(resumed)
    whole, out = load_file(tmp_path / "whole.safetensors"), load_file(tmp_path / "out.safetensors")
    assert whole.keys() == out.keys()
    for name, tensor in whole.items():
        np.testing.assert_array_equal(out[name], tensor)
    assert files(tmp_path / "data") == data
    made = [f"{name}.{end}" for name in ("out", "whole") for end in ENDINGS]
    assert sorted(os.listdir(tmp_path)) == sorted(["data", *made])


ENDINGS = ["safetensors", "history.csv", "history.png"]


def running_with(cache: Path) -> list[str]:
    """Return the command lines of the processes that use a cache."""
    wanted, found = f"IMGCLS_CACHE={cache}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text())
    return found


@pytest.mark.linux
@pytest.mark.parametrize("seed", range(2))
def test_compile(tmp_path: Path, samples: Path, seed: int) -> None:
    cache = tmp_path / "cache"
    killer = Killer(samples, seed, {"IMGCLS_CACHE": os.fspath(cache)})
    compile_ = [*PROGRAM, "models", "compile", "efficientnet-lite0"]
    seconds = killer.finish(compile_)
    whole = sorted(name for name in files(cache) if "/compiled/" in f"/{name}")
    shutil.rmtree(cache)
    for _ in range(KILLS_A_ROUND):
        killer.kill(compile_, seconds)
        deadline = time.monotonic() + 5
        while (alive := running_with(cache)) and time.monotonic() < deadline:
            pass
        assert alive == []  # what compiles ends with what started it
    killer.finish(compile_)
    assert sorted(name for name in files(cache) if "/compiled/" in f"/{name}") == whole
    killer.finish([*PROGRAM, "predict", "cat.jpg"])


CONTENT = b"\x89HDF\r\n\x1a\n" + random.Random(0).randbytes(3_000_000)

# The program with a row of the table whose weights are here.
FETCH = """
from imgcls.cli import signals
signals.handle()
import sys
from imgcls.core.models import table
row = table.MODELS["mobilenet-v2"]
weights = row.weights._replace(url=sys.argv[1], checksum=sys.argv[2])
table.MODELS["mobilenet-v2"] = row._replace(weights=weights)
sys.argv[1:] = ["models", "fetch", "mobilenet-v2"]
from imgcls.cli.start import main
main()
"""


class Slowly(BaseHTTPRequestHandler):
    """Sends the content from where it is asked for, in pieces that take a moment each."""

    def do_GET(self) -> None:
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            for begin in range(start, len(CONTENT), 50_000):
                self.wfile.write(CONTENT[begin : begin + 50_000])
                threading.Event().wait(0.005)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slowly)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/weights.h5"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("seed", range(4))
def test_fetch(tmp_path: Path, address: str, seed: int) -> None:
    home = tmp_path / "keras"
    killer = Killer(tmp_path, seed, {"KERAS_HOME": os.fspath(home), "IMGCLS_OFFLINE": ""})
    fetch = [sys.executable, "-c", FETCH, address, hashlib.sha256(CONTENT).hexdigest()]
    seconds = killer.finish(fetch)
    whole = files(home)
    shutil.rmtree(home)
    for _ in range(KILLS_A_ROUND):
        killer.kill(fetch, seconds)
    killer.finish(fetch)
    assert files(home) == whole
    assert list(whole.values()) == [hashlib.sha256(CONTENT).digest()]
