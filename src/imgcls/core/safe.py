"""Names from strangers, made safe for terminals and spreadsheets."""

from __future__ import annotations

import re

# C0 and C1 control characters and DEL: they move cursors and retitle windows. So do the bytes
# \udc80 to \udc9f of a name that is not UTF-8, on a terminal of 8 bits.
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\udc80-\udc9f]"
)


def printable(text: str) -> str:
    r"""Return text with control characters written out, as `\x1b`."""
    return _CONTROL.sub(lambda match: _escaped(match.group()), text)


def printable_lines(text: str) -> str:
    """Return text with control characters written out, but lines kept."""
    return "\n".join(map(printable, text.split("\n")))


def valid_unicode(text: str) -> str:
    r"""Return text that UTF-8 can hold, what it cannot hold written out, as `\udcff`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def readable(text: str) -> str:
    r"""Return a name as a page shows it: what has no glyph is written out, as `\x1b`."""
    return printable(valid_unicode(text))


def _escaped(character: str) -> str:
    code = ord(character)
    if code >= 0xDC80:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
