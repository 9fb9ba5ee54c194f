"""Files that are whole or absent: atomic writes, the cache folder, content hashes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from imgcls.core.errors import OutputError


def is_offline() -> bool:
    """Whether the network is forbidden, by `--offline` or IMGCLS_OFFLINE."""
    return os.environ.get("IMGCLS_OFFLINE", "").lower() not in ("", "0", "false", "no")


def temporary_name(path: Path) -> Path:
    """Return a name beside `path` that no other process uses.

    It starts with a dot, so folder walks pass over it.
    """
    return path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the name `path` only when the block ends well.

    A symbolic link is followed, so the file it points to is replaced and the link stays.

    Raises:
        OutputError: the file cannot be written; `path` is then as it was before.
    """
    target = Path(os.path.realpath(path))
    temporary = temporary_name(target)
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all.

    Raises:
        OutputError: as `atomic_writer`.
    """
    with atomic_writer(path) as file:
        file.write(content)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
