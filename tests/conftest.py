"""What all tests share: photos, one cache of compiled models, the command line as a process."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import hypothesis
import numpy as np
import pytest
from PIL import Image

from imgcls.core.arrays import Float32Array
from imgcls.core.engines.compiled.folder import (
    FACTS_FILE,
    CompiledModel,
    compiled_folder,
    read_facts,
)
from imgcls.core.engines.model import load_model
from imgcls.core.engines.speeds import Speed, Speeds, keep_speeds
from imgcls.core.pixels.images import load_image
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.pixels.source import Source
from imgcls.core.processor import usable_cores
from tests.browser import browser

__all__ = ["browser"]  # a fixture for all

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_images"
# Libraries that tests import themselves tell their makers nothing.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

SHARED = ROOT.parent / "shared" / "data"

# The same examples in each run, however slow the machine.
hypothesis.settings.register_profile("imgcls", deadline=None, database=None, derandomize=True)
hypothesis.settings.load_profile("imgcls")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked `posix` or `linux` where the system is another."""
    here = {"posix": os.name == "posix", "linux": sys.platform == "linux"}
    for item in items:
        for name, is_here in here.items():
            if item.get_closest_marker(name) and not is_here:
                item.add_marker(pytest.mark.skip(reason=f"needs {name}"))


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give all workers of a run one cache, so that each model is compiled once."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    folder = base / "imgcls-cache"
    os.environ["IMGCLS_CACHE"] = str(folder)
    os.environ["IMGCLS_OFFLINE"] = "1"
    os.environ["KERAS_HOME"] = str(base / "keras-home")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    return folder


@pytest.fixture(autouse=True)
def logger_as_before() -> Iterator[None]:
    """Give back the logger, which a command that is run in this process takes for its own.

    pytest hands what it catches to a logger that does not propagate, and once more by the root
    where a test lets it: a message then counted twice.
    """
    log = logging.getLogger("imgcls")
    handlers, propagate, level = log.handlers, log.propagate, log.level
    yield
    log.handlers, log.propagate = handlers, propagate
    log.setLevel(level)


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give one test a KERAS_HOME of its own.

    Keras reads it once, when it is first imported; that must not be during such a test, or Keras
    would look into this test's folder for as long as the worker lives.
    """
    import keras  # noqa: F401

    folder = tmp_path / "keras"
    monkeypatch.setenv("KERAS_HOME", str(folder))
    return folder


@pytest.fixture
def samples() -> Path:
    """Return the folder of the project's own photos."""
    return SAMPLES


def load_batch(sources: Iterable[Source], preprocessing: Preprocessing) -> Float32Array:
    """Read images as a network's input, float32 (n, size, size, 3)."""
    return preprocessing.scale(
        np.stack([load_image(source, preprocessing).pixels for source in sources])
    )


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip("needs the shared photos")
    return folder


@pytest.fixture
def imagenet_sample() -> Path:
    """Return 100 photos of 100 ImageNet classes, named WNID_label.JPEG."""
    return _shared("imagenet_sample")


@pytest.fixture
def photos() -> Path:
    """Return seven photos with known answers."""
    return _shared("photos")


@pytest.fixture
def cars_flowers() -> Path:
    """Return a small labelled set, train and test."""
    return _shared("cars_flowers")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Run a server that answers as Amazon's S3 does, on loopback; return its address."""
    with run_s3_server() as address:
        yield address


@pytest.fixture(scope="session")
def gs_server() -> Iterator[str]:
    """Run a server that answers as Google's Cloud Storage does, on loopback; return its address."""
    pytest.importorskip("pyarrow._gcsfs")
    pytest.importorskip("gcp_storage_emulator")
    command = ("gcp_storage_emulator", "start", "--in-memory", "--host", "127.0.0.1", "--port")
    with _run_server(*command) as address:
        yield address


@contextlib.contextmanager
def run_s3_server(**env: str) -> Iterator[str]:
    """Run moto's server with more in its environment, until the block ends."""
    for package in ("moto", "pyarrow"):
        pytest.importorskip(package)
    with _run_server("moto.server", "-H", "127.0.0.1", "-p", **env) as address:
        yield address


@contextlib.contextmanager
def _run_server(*module: str, **env: str) -> Iterator[str]:
    """Run a module that serves on the port that is its last argument; yield the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", *module, str(port)],
        env=os.environ | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while server.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def s3_env(address: str) -> dict[str, str]:
    """Return the environment with which a program takes a server for Amazon's."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "IMGCLS_OFFLINE": "0",
    }


@pytest.fixture(params=["s3", "gs"])
def bucket(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """Make a bucket of its own for a test; return its name with s3:// or gs:// before it."""
    from imgcls.core import stores

    server = request.getfixturevalue(f"{request.param}_server")
    name = f"b-{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]}"
    if request.param == "s3":
        env = s3_env(server)
        make = urllib.request.Request(f"{server}/{name}", method="PUT")
    else:
        env = {"STORAGE_EMULATOR_HOST": server, "IMGCLS_OFFLINE": "0"}
        content = json.dumps({"name": name}).encode()
        make = urllib.request.Request(
            f"{server}/storage/v1/b?project=tests", content, {"Content-Type": "application/json"}
        )
    for variable, value in env.items():
        monkeypatch.setenv(variable, value)
    urllib.request.urlopen(make)
    stores._bucket_system.cache_clear()
    yield f"{request.param}://{name}"
    stores._bucket_system.cache_clear()


Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def compiled_default(cache: Path) -> Path:
    """Compile the default model, so that no command says so, whichever test is the first.

    Whichever engine is faster on this machine, it is LiteRT that runs it: what commands print is
    compared to the letter. Returns the folder of the compiled model.
    """
    folder = compiled_folder(load_model().network)
    compiled = CompiledModel(folder, read_facts(folder / FACTS_FILE))
    speeds = {"litert": Speed(0.1, 100)}
    keep_speeds(compiled, Speeds(speeds, speeds, usable_cores()))
    return folder


@pytest.fixture
def imgcls(tmp_path: Path, compiled_default: Path) -> Imgcls:
    """Run the installed program as a process of its own, in an empty folder."""

    def run(
        *arguments: str | os.PathLike[str],
        cwd: Path = tmp_path,
        stdin: bytes | None = None,
        env: dict[str, str] | None = None,
        stdout: int | IO[bytes] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "imgcls", *map(os.fspath, arguments)],
            cwd=cwd,
            input=stdin or b"",
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE,
            env=os.environ | (env or {}),
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args,
            done.returncode,
            (done.stdout or b"").decode("utf-8", "surrogateescape"),
            done.stderr.decode("utf-8", "surrogateescape"),
        )

    return run


def _draw(label: str, seed: int, size: int = 96) -> Image.Image:
    random = np.random.default_rng((len(label), seed))
    pixels = random.integers(0, 60, (size, size, 3), np.uint8)
    for _ in range(6):
        x, y, side = random.integers(0, size - 20, 3)
        color = random.integers(100, 256, 3)
        if label == "stripes":
            pixels[x : x + 6 + side // 8] = color
        else:
            pixels[x : x + 20, y : y + 20] = color
    return Image.fromarray(pixels)


@pytest.fixture
def draw() -> Callable[[str, int], Image.Image]:
    """Draw "stripes" or "squares" of random place, width and colour, from a seed."""
    return _draw


@pytest.fixture
def draw_classes() -> Callable[[Path, int], Path]:
    """Draw so many pictures of both classes into class folders; return the folder."""

    def write(folder: Path, count: int) -> Path:
        for label in ("squares", "stripes"):
            (folder / label).mkdir(parents=True)
            for index in range(count):
                _draw(label, index).save(folder / label / f"{index:03d}.png")
        return folder

    return write


@pytest.fixture
def two_classes(tmp_path: Path, draw_classes: Callable[[Path, int], Path]) -> Path:
    """Return a labelled folder: 12 pictures of stripes and 12 of squares, all different."""
    return draw_classes(tmp_path / "two_classes", 12)
