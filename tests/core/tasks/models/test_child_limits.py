"""What a process may still take: memory, time, and no network. Each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LIMITS = "from imgcls.core.tasks.models.child_limits import *\n"
# Each way to reach out of a process; what is not refused is printed.
REACH_OUT = """
import socket
here = ("127.0.0.1", 9)
plain, packets = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
ways = {
    "connect": lambda: plain.connect(here),
    "connect_ex": lambda: plain.connect_ex(here),
    "bind": lambda: plain.bind(("127.0.0.1", 0)),
    "sendto": lambda: packets.sendto(b"x", here),
    "getaddrinfo": lambda: socket.getaddrinfo("localhost", 80),
    "gethostbyname": lambda: socket.gethostbyname("localhost"),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex("localhost"),
    "gethostbyaddr": lambda: socket.gethostbyaddr("127.0.0.1"),
    "getnameinfo": lambda: socket.getnameinfo(here, 0),
}
if hasattr(packets, "sendmsg"):
    ways["sendmsg"] = lambda: packets.sendmsg([b"x"], [], 0, here)
for name, reach_out in ways.items():
    try:
        reach_out()
        print(name, "went out")
    except PermissionError as error:
        assert str(error) == "no network here", name
    except OSError as error:
        print(name, error)
left, right = socket.socketpair()  # between threads of its own
left.send(b"x")
assert right.recv(1) == b"x"
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-c", LIMITS + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.linux
def test_memory_is_bounded_and_may_be_given_back() -> None:
    done = run(
        "limit_memory(2**30)\n"
        "try:\n    bytearray(2**31)\nexcept MemoryError:\n    print('too much')\n"
        "limit_memory(2**33)\n"
        "import mmap\n"
        "print(len(mmap.mmap(-1, 2**31)))\n"
    )
    assert (done.stdout, done.stderr) == (f"too much\n{2**31}\n", "")


@pytest.mark.linux
def test_a_bound_of_the_system_is_not_exceeded() -> None:
    done = run(
        "import resource as r\n"
        "for kind, limit in ((r.RLIMIT_AS, limit_memory), (r.RLIMIT_CPU, limit_seconds)):\n"
        "    r.setrlimit(kind, (2**30, 2**31))\n"
        "    for size in (2**29, 2**40):\n"
        "        limit(size)\n"
        "        print(r.getrlimit(kind) == (min(size, 2**31), 2**31))\n"
    )
    assert (done.stdout, done.stderr) == ("True\n" * 4, "")


def test_python_alone_lets_nothing_out() -> None:
    done = run(f"import sys\nsys.modules['ctypes'] = None\nleave_network()\n{REACH_OUT}")
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.linux
def test_the_kernel_takes_the_network_away() -> None:
    """A program that is started from there, which knows nothing of Python's hook, has none."""
    if subprocess.run(["unshare", "--user", "--net", "true"], check=False).returncode != 0:
        pytest.skip("the system forbids it")
    done = run("leave_network()\nimport os\nprint(os.readlink('/proc/self/ns/net'))\n")
    assert done.stderr == ""
    assert done.stdout.strip() not in ("", os.readlink("/proc/self/ns/net"))
