"""What this machine's processor can do, and how much of its memory is free."""

from __future__ import annotations

import contextlib
import platform
import re
from pathlib import Path

# Instruction sets that decide how fast a network runs, as Linux calls them → as people do.
_INSTRUCTIONS = {
    "avx2": "AVX2",
    "fma": "FMA",
    "avx512f": "AVX-512",
    "avx512_vnni": "VNNI",
    "avx_vnni": "VNNI",
    "amx_int8": "AMX",
    "asimd": "NEON",
    "asimddp": "dot product",
}


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Name the processor and its instruction sets that matter.

    Args:
        cpuinfo: where Linux tells it; elsewhere only the kind of processor is known.
    """
    try:
        text = cpuinfo.read_text("utf-8", "replace")
    except OSError:
        return platform.processor() or platform.machine()
    model = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*: (.+)$", text, re.MULTILINE)
    has = set(flags[1].split()) if flags else set()
    named = dict.fromkeys(name for flag, name in _INSTRUCTIONS.items() if flag in has)
    name = " ".join(model[1].split()) if model else platform.machine()
    return f"{name} ({', '.join(named) or 'none of AVX2, AVX-512, NEON'})"


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
