"""Fetch published weights: whole, verified, and where plain Keras looks for them.

What has come is kept beside the file as `.NAME.part`, so a fetch that was cut off goes on where
it ended; the file's own name appears only when its checksum is right.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import logging
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from imgcls.core.cache import cache_lock
from imgcls.core.errors import OutputError, WeightsError
from imgcls.core.models.spec import PublishedWeights
from imgcls.core.progress import progress
from imgcls.core.version import __version__

log = logging.getLogger("imgcls")

_BLOCK = 2**20  # bytes; progress counts megabytes
_TIMEOUT = 30.0  # seconds without a byte
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def fetch_weights(
    name: str,
    weights: PublishedWeights,
    path: Path,
    *,
    url: str | None = None,
    timeout: float = _TIMEOUT,
) -> None:
    """Download a model's weights to `path`, unless they are there meanwhile.

    Args:
        name: the model's name, for messages.
        weights: what to fetch.
        path: where it goes; the folder is made.
        url: another address of the same file; default: the published one.
        timeout: how long the server may be silent, in seconds.

    Raises:
        WeightsError: it cannot be fetched, or is not what was published. `path` is then as it
            was before.
        OutputError: it cannot be written.
    """
    address = url or weights.url
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with cache_lock(path.name):
            if not is_published(path, weights):  # another process may have fetched it meanwhile
                _receive(name, weights, address, part, timeout)
                _check(name, weights, address, part)
                os.replace(part, path)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as e:
        raise WeightsError(_by_hand(name, weights, address, path, _reason(e))) from e
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def is_published(path: Path, weights: PublishedWeights) -> bool:
    """Whether a file is the published one, by its checksum; by its kind where there is none."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        if not weights.checksum:
            return file.read(len(_HDF5_SIGNATURE)) == _HDF5_SIGNATURE
        algorithm = "md5" if len(weights.checksum) == 32 else "sha256"
        return hashlib.file_digest(file, algorithm).hexdigest() == weights.checksum


def _receive(
    name: str, weights: PublishedWeights, address: str, part: Path, timeout: float
) -> None:
    """Fill `part`, going on where an earlier fetch ended."""
    # Without a checksum nothing would show that two parts do not belong together.
    had = part.stat().st_size if weights.checksum and part.exists() else 0
    headers = {"User-Agent": f"imgcls/{__version__}"}
    if had:
        headers["Range"] = f"bytes={had}-"
    try:
        request = urllib.request.Request(address, headers=headers)
        with urllib.request.urlopen(request, timeout=timeout) as response:
            resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
            _save(response, part, had if resumed else 0)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        # It is all there; its checksum decides.
    log.debug("%s: received %s", name, address)


def _save(response: http.client.HTTPResponse, part: Path, had: int) -> None:
    length = response.headers.get("Content-Length")
    total = had + int(length) if length and length.isdigit() else None
    with open(part, "ab" if had else "wb") as file:
        blocks = progress(_blocks(response), "MB", -(-(total - had) // _BLOCK) if total else None)
        for block in blocks:
            file.write(block)
        size = file.tell()
        file.flush()
        os.fsync(file.fileno())
    if total is not None and size < total:
        raise http.client.IncompleteRead(b"", total - size)


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while block := response.read(_BLOCK):
        yield block


def _check(name: str, weights: PublishedWeights, address: str, part: Path) -> None:
    if is_published(part, weights):
        return
    with contextlib.suppress(FileNotFoundError):
        part.unlink()  # nothing of it can be trusted
    kind = "its checksum is wrong" if weights.checksum else "it is no HDF5 file"
    raise WeightsError(
        f"{name}: what came from {address} is not what was published ({kind}); fetch it again, "
        "and if that gives the same, look whether a proxy answers in the server's place"
    )


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was cut"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return "the server is silent"
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return text or type(cause).__name__


def _by_hand(name: str, weights: PublishedWeights, address: str, path: Path, reason: str) -> str:
    return (
        f"{name}: its weights cannot be fetched ({reason}); try again with imgcls models fetch "
        f"{name}, or save {address} ({weights.megabytes} MB) by hand as {path}"
    )
