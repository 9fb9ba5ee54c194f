"""Words of the command line: options for the names that core uses, speeds."""

from __future__ import annotations

import re

from imgcls.core.words import plural

# A parameter's name in backquotes, as core's messages have it.
_PARAMETER = re.compile(r"`([a-z][a-z0-9_]*)`")

# Parameter → what it is on the command line, where that is not its name with `--` and hyphens.
_NAMES = {
    "class_name": "--class",
    "file": "FILE",
    "folder": "DATA",
    "format_name": "--format",
    "inputs": "INPUT",
    "language": "--labels",
    "layers": "--layer",
    "max_seconds": "--max-time",
    "out": "--output",
}


def option_names(text: str) -> str:
    """Return a message of core with each parameter in backquotes as its option.

    "leave out `val_split`" becomes "leave out --val-split".
    """
    return _PARAMETER.sub(lambda match: _option(match.group(1)), text)


def _option(parameter: str) -> str:
    return _NAMES.get(parameter) or "--" + parameter.replace("_", "-")


def rate_text(rate: float, unit: str) -> str:
    """Return a speed with as many digits as say something: "185 images/s", "0.3 images/s".

    Args:
        rate: how many a second.
        unit: what is counted, in the singular.
    """
    digits = 0 if rate >= 10 else 1 if rate >= 0.1 else 2
    return f"{rate:.{digits}f} {plural(unit)}/s"
