"""Names of classes: the form in which they are compared, and which can be labels."""

from __future__ import annotations

import unicodedata


def composed(name: str) -> str:
    """Return a name in Unicode's composed form (NFC), in which names are compared."""
    return unicodedata.normalize("NFC", name)


def is_utf8(name: str) -> bool:
    """Whether a name is valid UTF-8, so that it can be a label."""
    return not any("\udc80" <= character <= "\udcff" for character in name)
