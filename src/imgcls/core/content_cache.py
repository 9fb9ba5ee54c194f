"""What was computed from an image once, kept in the cache by the hash of its content.

It is there to save time, and nothing depends on it: a row that is not as it was written is
computed again, a damaged file is made anew, and where the file cannot be read or written - it is
locked for long, the disk is full, `clear-cache` removed it - a run goes on without it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from imgcls.core.cache import cache_part, named_cache, remove_stranger
from imgcls.core.errors import OutputError, one_line
from imgcls.core.files import remove

T = TypeVar("T")

log = logging.getLogger("imgcls")

_PART = "content"
_LOCK_TIMEOUT = 10.0  # seconds; a writer takes fractions of one
_VARIABLES = 500  # values in a statement; SQLite takes at least 999
_CHECK_BYTES = 16
# A commit waits for the disk; more at once would be lost by a run that is killed.
_KEPT_AT_ONCE = 128
# A database may have a journal beside it, which goes first: it must never meet another database.
_ENDINGS = ("-journal", "-wal", "-shm", "")
# What SQLite calls a file that is no database, or not as it was written.
_DAMAGED = {
    sqlite3.SQLITE_ERROR,  # without our table, or with other columns
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_CONSTRAINT,
}


class ContentCache:
    """Content hash → bytes, in one SQLite file; for use by many threads and processes."""

    def __init__(self, name: str, *, lock_timeout: float = _LOCK_TIMEOUT) -> None:
        """Open the store.

        Args:
            name: of its file in the cache; says what is kept, and all that it depends on
                besides an image's content.
            lock_timeout: how long to wait for another process, in seconds.
        """
        self.name = name
        self._timeout = lock_timeout
        self._warned = self._removed = self._reopened = self._given_up = False
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()  # for the connection
        self.path = named_cache() / _PART / f"{name}.sqlite"
        try:
            self.path = cache_part(_PART) / self.path.name
        except OutputError as error:
            self._given_up = True
            self._warn(str(error), "this run goes on without it")
        self._try(lambda _: None)

    def get(self, digests: Sequence[str]) -> dict[str, bytes]:
        """Return what is kept of these digests, each as it was put."""
        found: dict[str, bytes] = {}
        for start in range(0, len(digests), _VARIABLES):
            part = digests[start : start + _VARIABLES]
            for key, content, check in self._try(partial(_select, digests=part)) or ():
                digest = str(key, "ascii", "replace") if isinstance(key, bytes) else ""
                whole = isinstance(content, bytes) and check == self._check(digest, content)
                if whole and digest in part:
                    found[digest] = content
                else:
                    self._warn("a row is damaged", "it is made anew")
        return found

    def put(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Keep content by digest; all of it, or nothing where the process ends meanwhile."""
        rows = [(digest, content, self._check(digest, content)) for digest, content in items]
        self._try(partial(_insert, rows=rows))

    def keeping(
        self, items: Iterable[T], row: Callable[[T], tuple[str, bytes] | None]
    ) -> Iterator[T]:
        """Yield all items, and keep what they give to keep.

        Args:
            items: taken as they are asked for; what was taken is kept even where they end early.
            row: turns an item into a digest and its content; None where nothing is to be kept.
        """
        rows: list[tuple[str, bytes]] = []
        try:
            for item in items:
                if (new := row(item)) is not None:
                    rows.append(new)
                if len(rows) >= _KEPT_AT_ONCE:
                    self.put(rows)
                    rows.clear()
                yield item
        finally:
            self.put(rows)

    def close(self) -> None:
        """Close the file; a thread that still asks finds nothing kept."""
        with self._lock:
            self._given_up = True
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _try(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file; None where the run has to go on without it."""
        with self._lock:
            for _ in range(2):
                if self._given_up:
                    break
                try:
                    if self._connection is None:
                        self._connection = self._open()
                    return action(self._connection)
                except (sqlite3.Error, OSError, UnicodeError) as error:
                    self._disconnect()
                    self._recover(error)
        return None

    def _recover(self, error: Exception) -> None:
        """Remove a damaged file, once; from anything else, go on without it."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
        if code == sqlite3.SQLITE_READONLY_DBMOVED and not self._reopened:
            self._reopened = True  # the cache was cleared: begin anew
            return
        # UnicodeError: SQLite's message quotes bytes of the file.
        damaged = code & 0xFF in _DAMAGED or isinstance(error, UnicodeError)
        if code == sqlite3.SQLITE_READONLY:  # a bit in the file can say so, too
            damaged = os.access(self.path, os.W_OK)
        if not damaged or self._removed:
            self._given_up = True
            self._warn(str(error), "this run goes on without it")
            return
        self._removed = True
        self._warn(f"damaged ({error})", "it is made anew")
        with contextlib.suppress(OSError):
            for ending in _ENDINGS:
                remove(self.path.with_name(self.path.name + ending))

    def _open(self) -> sqlite3.Connection:
        for ending in _ENDINGS:
            path = self.path.with_name(self.path.name + ending)
            if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
                remove_stranger(path)
        connection = sqlite3.connect(self.path, timeout=self._timeout, check_same_thread=False)
        try:
            connection.text_factory = bytes  # what a damaged row holds need not be text
            connection.execute(
                "CREATE TABLE IF NOT EXISTS content "
                "(digest TEXT PRIMARY KEY, content BLOB, checksum BLOB) WITHOUT ROWID"
            )
            (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if state != b"ok":
                error = sqlite3.DatabaseError(state.decode(errors="replace"))
                error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise error
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _check(self, digest: str, content: bytes) -> bytes:
        whole = b"\0".join((self.name.encode(), digest.encode(), content))
        return hashlib.blake2b(whole, digest_size=_CHECK_BYTES).digest()

    def _warn(self, reason: str, consequence: str) -> None:
        if not self._warned:
            log.warning("%s: %s; %s", self.path, one_line(reason), consequence)
        self._warned = True


@contextlib.contextmanager
def open_content_cache(name: str) -> Iterator[ContentCache]:
    """Open a store for the time of a block."""
    store = ContentCache(name)
    try:
        yield store
    finally:
        store.close()


def _select(connection: sqlite3.Connection, digests: Sequence[str]) -> list[tuple[Any, Any, Any]]:
    places = ",".join("?" * len(digests))
    return connection.execute(
        f"SELECT digest, content, checksum FROM content WHERE digest IN ({places})", digests
    ).fetchall()


def _insert(connection: sqlite3.Connection, rows: list[tuple[str, bytes, bytes]]) -> None:
    with connection:
        connection.executemany("INSERT OR REPLACE INTO content VALUES (?, ?, ?)", rows)
