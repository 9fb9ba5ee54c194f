"""Fetch published weights: whole, verified, and where plain Keras looks for them.

What has come is kept beside the file as `.NAME.part`, so a fetch that was cut off goes on where
it ended; the file's own name appears only when its checksum is right.
"""

from __future__ import annotations

import contextlib
import hashlib
import http
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from imgcls.core.cache import cache_lock
from imgcls.core.errors import OutputError, WeightsError
from imgcls.core.models.spec import PublishedWeights
from imgcls.core.progress import progress
from imgcls.core.web import Answer, WebError, open_url

log = logging.getLogger("imgcls")

_BLOCK = 2**20  # bytes; progress counts megabytes
_TIMEOUT = 30.0  # seconds without a byte
# The whole download may take a minute, and what it takes at this rate.
_LEAST_SECONDS = 60.0
_LEAST_RATE = 0.1  # MB/s: 90 minutes for the largest
# What comes may be this many times the size in the table, which is rounded.
_MOST = 2
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
    except WebError as error:
        raise WeightsError(_by_hand(name, weights, address, path, str(error))) from error
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
    headers = {"Range": f"bytes={had}-"} if had else {}
    seconds = _LEAST_SECONDS + weights.megabytes / _LEAST_RATE
    try:
        with open_url(address, seconds=seconds, silence=timeout, headers=headers) as answer:
            resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
            _save(answer, part, had if resumed else 0, _MOST * weights.megabytes * 2**20)
    except WebError as error:
        if error.status != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        # It is all there; its checksum decides.
    log.debug("%s: received %s", name, address)


def _save(answer: Answer, part: Path, had: int, most: int) -> None:
    megabytes = None if answer.length is None else -(-answer.length // _BLOCK)
    received = 0
    with open(part, "ab" if had else "wb") as file:
        for block in progress(_whole_blocks(answer.blocks()), "MB", megabytes):
            received += len(block)
            if had + received > most:
                raise WebError("more comes than was published")
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def _whole_blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join pieces to blocks of a megabyte; what came before a failure is yielded before it."""
    block = bytearray()
    try:
        for piece in pieces:
            block += piece
            while len(block) >= _BLOCK:
                yield bytes(block[:_BLOCK])
                del block[:_BLOCK]
    except WebError:
        yield bytes(block)
        raise
    if block:
        yield bytes(block)


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


def _by_hand(name: str, weights: PublishedWeights, address: str, path: Path, reason: str) -> str:
    return (
        f"{name}: its weights cannot be fetched ({reason}); try again with imgcls models fetch "
        f"{name}, or save {address} ({weights.megabytes} MB) by hand as {path}"
    )
