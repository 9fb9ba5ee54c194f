"""--offline opens no socket: a process without sockets gives its answers all the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Imgcls

# Python runs this file at the start of every process that finds it, also of the compiler's.
FORBIDDEN = """
import os, socket, sys

def forbidden(*_, **__):
    # urllib3, which TensorFlow imports, asks its own machine in this way whether it knows IPv6.
    if sys._getframe(1).f_code.co_name == "_has_ipv6":
        raise OSError
    os.write(2, b"a socket was opened\\n")
    os._exit(99)

socket.socket.__init__ = forbidden
socket.getaddrinfo = socket.create_connection = socket.socketpair = forbidden
"""


@pytest.fixture
def no_sockets(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "startup"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(FORBIDDEN)
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return {
        "PYTHONPATH": path.rstrip(os.pathsep),
        "IMGCLS_OFFLINE": "",
        "KERAS_HOME": str(tmp_path / "keras"),
    }


def test_the_guard_works(imgcls: Imgcls, samples: Path, no_sockets: dict[str, str]) -> None:
    done = imgcls("predict", samples / "cat.jpg", "-m", "vgg16", env=no_sockets)
    assert done.returncode == 99
    first, last = done.stderr.splitlines()
    assert first.startswith("vgg16: fetching its weights, once: 528 MB from https://")
    assert last == "a socket was opened"


@pytest.mark.parametrize("how", ["option", "environment"])
@pytest.mark.parametrize(
    ("arguments", "code", "shown"),
    [
        (["predict", "cat.jpg", "--top", "1"], 0, "cat.jpg: tiger_cat"),
        (["predict", "http://127.0.0.1/cat.jpg"], 1, "forbidden (IMGCLS_OFFLINE)"),
        (["predict", "cat.jpg", "-m", "vgg16"], 1, "imgcls models fetch vgg16"),
        (["models", "fetch", "vgg16"], 1, "imgcls models fetch vgg16"),
        (["models", "list"], 0, "to download (528 MB)"),
    ],
)
def test_offline_opens_no_socket(
    imgcls: Imgcls,
    samples: Path,
    no_sockets: dict[str, str],
    how: str,
    arguments: list[str],
    code: int,
    shown: str,
) -> None:
    if how == "option":
        arguments = ["--offline", *arguments]
    else:
        no_sockets["IMGCLS_OFFLINE"] = "1"
    done = imgcls(*arguments, cwd=samples, env=no_sockets)
    assert done.returncode == code
    assert shown in done.stdout + done.stderr


@pytest.mark.slow
def test_compiling_opens_no_socket(
    imgcls: Imgcls, samples: Path, tmp_path: Path, no_sockets: dict[str, str]
) -> None:
    own = no_sockets | {"IMGCLS_CACHE": str(tmp_path / "cache")}
    done = imgcls("--offline", "predict", "cat.jpg", "--top", "1", cwd=samples, env=own)
    assert (done.returncode, done.stdout) == (0, "cat.jpg: tiger_cat (37.45%)\n")
    assert done.stderr == "efficientnet-lite0: compiling it for this machine, once\n"
