"""Bound what this process may take, before it reads a file of unknown origin."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

# What reaches out of this process, or asks for an address. Sockets themselves may be made: Python
# uses pairs of them between its threads.
_REACHING_OUT = frozenset(
    f"socket.{name}"
    for name in (
        *("connect", "bind", "sendto", "sendmsg"),
        *("getaddrinfo", "gethostbyaddr", "gethostbyname", "getnameinfo"),
    )
)
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000  # CLONE_NEWNET, CLONE_NEWUSER of Linux


def limit_memory(size: int) -> None:
    """Let the process have so many bytes of address space; a later call may raise it again.

    Does nothing where the system has no such limit (Windows; macOS has it without effect).
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def limit_seconds(seconds: int) -> None:
    """Let the process compute for so long, on all its cores together."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        soft = seconds if hard == resource.RLIM_INFINITY else min(seconds, hard)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def leave_network() -> None:
    """Take the network from this process: by the kernel where it can, else in Python."""
    sys.addaudithook(_no_sockets)
    with contextlib.suppress(Exception):  # a kernel may forbid it; the hook stays
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        if library.unshare(_NEW_NETWORK) != 0:
            library.unshare(_NEW_USER | _NEW_NETWORK)


def _no_sockets(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _REACHING_OUT:
        raise PermissionError("no network here")
