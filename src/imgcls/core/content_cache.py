"""What was computed from an image once, kept in the cache by the hash of its content."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from imgcls.core.cache import cache_folder

log = logging.getLogger("imgcls")

_LOCK_TIMEOUT = 60.0  # seconds
_VARIABLES = 500  # values in a statement; SQLite takes at least 999


class Memo:
    """Content hash → bytes, in one SQLite file; for use by one thread, by many processes."""

    def __init__(self, name: str) -> None:
        """Open the store.

        Args:
            name: of its file in the cache; says what is kept, and all that it depends on
                besides an image's content.
        """
        self.path = cache_folder() / "memo" / f"{name}.sqlite"
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._connection = _open(self.path)
        except sqlite3.DatabaseError as error:
            log.warning("%s: damaged (%s); it is made anew", self.path, error)
            self.path.unlink(missing_ok=True)
            self._connection = _open(self.path)

    def get(self, digests: Sequence[str]) -> dict[str, bytes]:
        """Return what is kept of these digests."""
        found: dict[str, bytes] = {}
        for start in range(0, len(digests), _VARIABLES):
            part = digests[start : start + _VARIABLES]
            places = ",".join("?" * len(part))
            rows = self._connection.execute(
                f"SELECT digest, content FROM memo WHERE digest IN ({places})", part
            )
            found.update(rows)
        return found

    def put(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Keep content by digest; all of it, or nothing where the process ends meanwhile."""
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO memo VALUES (?, ?)", items)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


@contextlib.contextmanager
def open_memo(name: str) -> Iterator[Memo]:
    """Open a store for the time of a block."""
    memo = Memo(name)
    try:
        yield memo
    finally:
        memo.close()


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_LOCK_TIMEOUT)
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS memo (digest TEXT PRIMARY KEY, content BLOB) WITHOUT ROWID"
        )
        (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
