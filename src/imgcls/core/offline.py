"""Whether connections may be opened."""

from __future__ import annotations

import os


def is_offline() -> bool:
    """Whether the network is forbidden, by `--offline` or IMGCLS_OFFLINE."""
    return os.environ.get("IMGCLS_OFFLINE", "").lower() not in ("", "0", "false", "no")
