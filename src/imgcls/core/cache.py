"""The cache folder: where it is, its parts, and hashes that it remembers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import warnings
from functools import cache
from pathlib import Path

from imgcls.core.files import sha256, write_atomically


def cache_folder() -> Path:
    """Return the folder for compiled models: IMGCLS_CACHE, else the platform's own.

    A folder that cannot be written gives way to a temporary one with one warning, so a
    read-only home directory costs time but not the answer.
    """
    return _writable_cache(os.environ.get("IMGCLS_CACHE", ""))


# The parts of the cache, all of which `imgcls models clear-cache` may remove.
CACHE_PARTS = ("compiled", "hashes", "locks", "memo")


def cache_part(name: str) -> Path:
    """Return a folder of the cache (see `CACHE_PARTS`), made if need be, closed to others."""
    folder = cache_folder() / name
    folder.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        with contextlib.suppress(OSError):  # another's: they decide
            folder.chmod(0o700)
    return folder


def in_cache(part: str, name: str) -> Path:
    """Return the place of something in the cache, whether or not it is there.

    What is there counts also where the cache can only be read, as in a container.
    """
    path = named_cache() / part / name
    return path if os.path.lexists(path) else cache_part(part) / name


def named_cache() -> Path:
    """Return the cache folder as it is named, whether or not it is there or can be written."""
    named = os.environ.get("IMGCLS_CACHE")
    return Path(named) if named else _platform_cache()


@cache
def _writable_cache(named: str) -> Path:
    folder = Path(named) if named else _platform_cache()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
        reason = "permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    warnings.warn(
        f"{folder}: the cache cannot be written ({reason}), so models are compiled anew for "
        "this run; set IMGCLS_CACHE to a folder of yours",
        stacklevel=2,
    )
    import atexit
    import shutil
    import tempfile

    temporary = Path(tempfile.mkdtemp(prefix="imgcls-"))
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    # Processes that this one starts use the same folder.
    os.environ["IMGCLS_CACHE"] = str(temporary)
    return temporary


def _platform_cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("imgcls", appauthor=False))


def content_id(path: Path) -> str:
    """Return a file's SHA-256, remembered in the cache by name, size and time of change.

    Hashing half a gigabyte of weights at every start would cost more than classifying.
    """
    status = os.stat(path)
    facts = f"{os.path.realpath(path)}\0{status.st_size}\0{status.st_mtime_ns}"
    named = named_cache()
    memo = named / "hashes" / hashlib.sha256(os.fsencode(facts)).hexdigest()
    try:
        remembered = json.loads(memo.read_bytes())
        if isinstance(remembered, str) and len(remembered) == 64:
            return remembered
    except (OSError, ValueError):
        pass  # not remembered yet, or damaged: hash again
    digest = sha256(path)
    if os.access(named, os.W_OK) or not named.exists():
        write_atomically(cache_part("hashes") / memo.name, json.dumps(digest).encode())
    return digest
