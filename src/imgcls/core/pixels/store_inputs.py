"""INPUT in an object store → sources: one object, those below a prefix, or those of a glob.

Below a prefix, objects are taken whose name ends as an image's does; to look into each of the
others would cost a request. What is hidden, or begins with an underscore as notes of other
programs do, is passed over.
"""

from __future__ import annotations

import fnmatch
import logging
import re
from collections.abc import Iterator

from imgcls.core import stores
from imgcls.core.offline import is_offline
from imgcls.core.pixels.formats import has_image_ending
from imgcls.core.pixels.source import Source
from imgcls.core.stores import Entry, StoreError

log = logging.getLogger("imgcls")


def expand_store(uri: str, *, listed: bool = False) -> Iterator[Source]:
    """Yield the sources that a name in a store stands for, folder by folder, sorted by name.

    Args:
        uri: an object, a prefix or a glob.
        listed: it is from a list: literal, and an object unless it ends with a slash.

    Raises:
        UsageError: pyarrow is not installed, or the name has no bucket.
    """
    stores.check_stores(uri)
    if is_offline():
        reason = "not read: the network is forbidden (IMGCLS_OFFLINE)"
        yield Source(uri, "missing", reason)
        return
    if listed and not uri.endswith("/"):
        yield Source(uri, "store")
        return
    try:
        yield from _expand(uri, globs=not listed)
    except StoreError as error:
        yield Source(uri, "missing", f"cannot be listed: {error}")


def _expand(uri: str, *, globs: bool) -> Iterator[Source]:
    root = uri.rstrip("/")
    in_bucket = root.count("/") > 2
    entry = stores.find(uri) if in_bucket else Entry(root, is_folder=True, size=0)
    if entry is not None and not entry.is_folder:
        yield Source(uri, "store")
    elif entry is not None:
        others = _Others()
        for found in _walk(root, others):
            yield Source(found, "store", root=root)
        others.say(root)
    elif globs and any(character in uri for character in "*?["):
        yield from _expand_glob(uri)
    else:
        yield Source(uri, "missing", "no such object")


class _Others:
    """Counts the objects that are passed over."""

    count = 0

    def say(self, root: str) -> None:
        if self.count:
            log.info(
                "%s: passed over %d objects that are not called as images are; name them in a "
                "list to take them in",
                root,
                self.count,
            )


def _walk(folder: str, others: _Others) -> Iterator[str]:
    for entry in stores.walk(folder, _is_shown):
        if has_image_ending(entry.uri):
            yield entry.uri
        else:
            others.count += 1


def _is_shown(name: str) -> bool:
    return not name.startswith((".", "_"))


def _expand_glob(pattern: str) -> Iterator[Source]:
    # Literal folders before the first part with a magic character are where the walk begins.
    base = re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")[0]
    parts = pattern.split("/")
    found = False
    for name in _walk(base, _Others()):
        if _matches(parts, name.split("/")):
            found = True
            yield Source(name, "store")
    if not found:
        yield Source(pattern, "missing", "no object matches")


def _matches(parts: list[str], names: list[str]) -> bool:
    """Whether a glob's parts match a name's: `*` stays in one, `**` is any number of folders."""
    if not parts or not names:
        return not parts and not names
    if parts[0] == "**":
        return _matches(parts[1:], names) or _matches(parts, names[1:])
    return fnmatch.fnmatchcase(names[0], parts[0]) and _matches(parts[1:], names[1:])
