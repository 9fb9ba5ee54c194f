"""One image that was asked for, and how its bytes are read: bounded, and never for ever."""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from dataclasses import dataclass, field, replace
from typing import Literal

from imgcls.core.errors import ImageError

MAX_BYTES = 256 * 2**20  # of an encoded image
_PIPE_SECONDS = 10.0
_LONGEST_PATH = 4096  # bytes

Kind = Literal["file", "stdin", "url", "store", "missing"]


@dataclass(frozen=True, slots=True)
class Source:
    """One image that was asked for; it may turn out not to exist.

    Attributes:
        name: what records call it: the path as given, "-" or the URL.
        kind: where its bytes come from.
        reason: for a "missing" one, why there is nothing to read.
        root: the folder that was named and walked to find it; empty if it was named itself.
        label: what a table says that it shows; empty if no table named it.
        content: its bytes, if they were read before.
    """

    name: str
    kind: Kind = "file"
    reason: str = ""
    root: str = ""
    label: str = ""
    content: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def is_absent(self) -> bool:
        """Whether it is a path where nothing is; what is not on this machine is not looked for."""
        return self.kind == "missing" or (self.kind == "file" and not os.path.exists(self.name))

    def with_content(self) -> Source:
        """Return it with its bytes, for whoever needs them twice: a pipe gives them only once.

        One that cannot be read becomes a "missing" one that says why.
        """
        try:
            return replace(self, content=self.read())
        except ImageError as error:
            return replace(self, kind="missing", reason=str(error))

    def read(self) -> bytes:
        """Return the image's encoded bytes, at most 256 MB.

        Raises:
            ImageError: it cannot be read.
        """
        if self.content is not None:
            return self.content
        try:
            if self.kind == "missing":
                raise ImageError(self.reason)
            if self.kind == "stdin":
                return _read_stdin()
            if self.kind == "url":
                return _download(self.name)
            if self.kind == "store":
                return _read_object(self.name)
            return _read_file(self.name)
        except FileNotFoundError:
            reason = LINK_TO_NOWHERE if os.path.islink(self.name) else "no such file"
            raise ImageError(reason) from None
        except ValueError as error:  # a list of NUL-separated names read without --null
            raise ImageError(f"no file name: {error}") from error
        except OSError as error:
            raise ImageError((error.strerror or str(error)).lower()) from error


LINK_TO_NOWHERE = "a link that leads nowhere"


def _read_file(path: str) -> bytes:
    status = os.stat(path)  # before it is opened: that would wait for a pipe's other end
    if stat.S_ISFIFO(status.st_mode):
        return _read_pipe(path)
    if stat.S_ISDIR(status.st_mode):
        raise ImageError("is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise ImageError("a device or a socket, not a file")
    _check_size(status.st_size)
    with open(path, "rb", buffering=0) as file:  # it is read at once
        return file.read()


def _read_pipe(path: str) -> bytes:
    """Read a named pipe, or a shell's `<(command)`, as long as something comes."""
    import select

    content = bytearray()
    deadline = time.monotonic() + _PIPE_SECONDS
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as pipe:
        ready = select.poll()
        ready.register(pipe, select.POLLIN)
        while ready.poll(max(0.0, deadline - time.monotonic()) * 1000):
            block = pipe.read(2**16)
            if not block:
                return bytes(content)
            content += block
            _check_size(len(content))
    raise ImageError(f"a pipe that nobody ended within {_PIPE_SECONDS:.0f} s")


def _read_stdin() -> bytes:
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    _check_size(len(content))
    first_line = re.split(rb"[\r\n\0]", content[:_LONGEST_PATH], maxsplit=1)[0]
    if os.path.exists(first_line):
        raise ImageError("a list of paths and no image; a list is read with files-from")
    return content


def _download(url: str) -> bytes:
    from imgcls.core.offline import is_offline

    if is_offline():
        raise ImageError("not fetched: the network is forbidden (IMGCLS_OFFLINE)")
    from imgcls.core.web import WebError, open_url

    content = bytearray()
    try:
        with open_url(url) as answer:
            for block in answer.blocks():
                content += block
                _check_size(len(content))
    except WebError as error:
        raise ImageError(str(error) if error.status else f"cannot be fetched: {error}") from error
    return bytes(content)


def _read_object(uri: str) -> bytes:
    from imgcls.core import stores

    try:
        content = stores.read(uri, MAX_BYTES + 1)
    except stores.StoreError as error:
        raise ImageError(str(error)) from error
    _check_size(len(content))
    return content


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise ImageError(f"larger than {MAX_BYTES // 2**20} MB")
