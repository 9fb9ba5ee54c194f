"""What the folders that images are sorted into are called."""

from __future__ import annotations

import re
from collections.abc import Sequence

from imgcls.core.models.labels import ClassLabel

UNKNOWN, ERRORS = "unknown", "errors"

# What no file system or shell likes in a name.
_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]|[\ud800-\udfff]|[\u2028-\u202e\u2066-\u2069]')
# Names with a meaning of their own: devices on Windows, and our manifests.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|manifest(-\d+)?\.csv", re.IGNORECASE)
_LONGEST = 120  # bytes


def folder_name(label: str) -> str:
    """Return a label as the name of one folder: no separators, dots or devices in it."""
    name = _UNFIT.sub("_", label).strip(" ").rstrip(". ").lstrip(".")
    name = name.encode()[:_LONGEST].decode(errors="ignore").rstrip(". ")
    if not name or _RESERVED.fullmatch(name):
        name = f"_{name}"
    return name


def folder_names(labels: Sequence[ClassLabel]) -> dict[ClassLabel, str]:
    """Return the folder of each class.

    Classes whose names would meet, also on a system that takes `Cat` for `cat`, and those
    called as the folders for the rest have their class id or index behind.
    """
    names = [folder_name(one.label) for one in labels]
    counts: dict[str, int] = {UNKNOWN: 1, ERRORS: 1}
    for name in names:
        counts[name.casefold()] = counts.get(name.casefold(), 0) + 1
    return {
        one: name
        if counts[name.casefold()] == 1
        else f"{name}-{column if one.class_id == one.label else folder_name(one.class_id)}"
        for column, (one, name) in enumerate(zip(labels, names, strict=True))
    }
