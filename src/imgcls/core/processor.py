"""What this machine's processor is and can do; how many of its cores are ours."""

from __future__ import annotations

import functools
import os
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


@functools.cache
def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Name the processor and its instruction sets that matter.

    Args:
        cpuinfo: where Linux tells it; elsewhere only the kind of processor is known.
    """
    import platform
    import re

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


def usable_cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
