"""How much of this machine's memory is free."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path


def free_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes that this process may still take; None where the system does not tell.

    Args:
        root: of the file system, for Linux; a container's own limit counts.
    """
    with contextlib.suppress(OSError, ValueError):
        text = (root / "proc/meminfo").read_text("ascii")
        found = re.search(r"^MemAvailable:\s+(\d+) kB$", text, re.MULTILINE)
        if found:
            return min([int(found[1]) * 1024, *_left_in_group(root)])
    return None


def _left_in_group(root: Path) -> list[int]:
    """Return what a container's limit leaves; empty without one."""
    group = root / "sys/fs/cgroup"
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        with contextlib.suppress(OSError, ValueError):  # "max": there is none
            return [int((group / limit).read_text()) - int((group / used).read_text())]
    return []
