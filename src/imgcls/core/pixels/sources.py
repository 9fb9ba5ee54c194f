"""INPUT... as the user wrote it → a lazy stream of sources, each one image's bytes.

Nothing here holds all names: folders are walked with `os.scandir`, and even one folder of a
million files is put in order a slice at a time.
"""

from __future__ import annotations

import fnmatch
import heapq
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from imgcls.core.errors import ImageError, UsageError
from imgcls.core.files import is_offline

# What a folder walk takes by ending alone. A file with another ending is taken if its content
# begins like an image.
IMAGE_ENDINGS = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".apng",
        ".gif",
        ".webp",
        ".avif",
        ".avifs",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".ico",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".pfm",
        ".jp2",
        ".j2k",
        ".j2c",
        ".jpc",
        ".jpf",
        ".jpx",
        ".tga",
        ".heic",
        ".heif",
        ".hif",
    ]
)

# Names in order are found by passes over the folder that keep this many.
_SLICE = 10_000
_SNIFF_BYTES = 32
_MAX_DOWNLOAD = 256 * 2**20

_SIGNATURES = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF, little-endian
    b"MM\x00*",  # TIFF, big-endian
    b"\x00\x00\x00\x0cjP  \r\n\x87\n",  # JPEG 2000
    b"\xff\x4f\xff\x51",  # JPEG 2000 codestream
)
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

Kind = Literal["file", "stdin", "url", "missing"]


@dataclass(frozen=True, slots=True)
class Source:
    """One image that was asked for; it may turn out not to exist.

    Attributes:
        name: what records call it: the path as given, "-" or the URL.
        kind: where its bytes come from.
        reason: for a "missing" one, why there is nothing to read.
        root: the folder that was named and walked to find it; empty if it was named itself.
    """

    name: str
    kind: Kind = "file"
    reason: str = ""
    root: str = ""

    def read(self) -> bytes:
        """Return the image's encoded bytes.

        Raises:
            ImageError: it cannot be read.
        """
        try:
            if self.kind == "missing":
                raise ImageError(self.reason)
            if self.kind == "stdin":
                return sys.stdin.buffer.read()
            if self.kind == "url":
                return _download(self.name)
            with open(self.name, "rb") as file:
                return file.read()
        except FileNotFoundError:
            raise ImageError("no such file") from None
        except ValueError as error:  # a list of NUL-separated names read without --null
            raise ImageError(f"no file name: {error}") from error
        except OSError as error:
            raise ImageError((error.strerror or str(error)).lower()) from error


def expand(inputs: Iterable[str]) -> Iterator[Source]:
    """Yield the sources that the inputs name, lazily and in order.

    Args:
        inputs: files, folders (recursive, sorted by name, hidden ones skipped), globs, "-" for
            one image on stdin, http(s) URLs.
    """
    for text in inputs:
        if text == "-":
            yield Source("-", "stdin")
        elif _has_magic(text) and not _is_url(text) and not os.path.lexists(text):
            yield from _expand_glob(text)
        else:
            yield from expand_path(text)


def expand_path(path: str) -> Iterator[Source]:
    """Yield the sources of a literal path or URL: a file's own, or those in a folder."""
    if _is_url(path):
        yield Source(path, "url")
    elif os.path.isdir(path):
        yield from walk(path)
    else:
        yield Source(path)


def read_list(list_file: str, *, null: bool = False) -> Iterator[Source]:
    """Yield the sources that a file names, one a line; "-" reads the list from stdin.

    Args:
        list_file: the file; its names are literal, relative to the working folder.
        null: whether NUL ends a name, as `find -print0` writes.

    Raises:
        UsageError: the list cannot be read.
    """
    if list_file == "-":
        yield from _listed(sys.stdin.buffer, null)
        return
    try:
        file = open(list_file, "rb")  # noqa: SIM115 - closed below, opened here for its error
    except OSError as error:
        raise UsageError(f"{list_file}: the list cannot be read: {error.strerror}") from error
    with file:
        yield from _listed(file, null)


def _listed(file: BinaryIO, null: bool) -> Iterator[Source]:
    for name in _split_nul(file) if null else (line.rstrip(b"\r\n") for line in file):
        if name:
            yield from expand_path(os.fsdecode(name))


def _split_nul(file: BinaryIO) -> Iterator[bytes]:
    rest = b""
    # read1 returns what a pipe has now, so that a slow producer's names are used as they come.
    read = getattr(file, "read1", file.read)
    while block := read(65536):
        *names, rest = (rest + block).split(b"\0")
        yield from names
    yield rest


def walk(folder: str, root: str = "") -> Iterator[Source]:
    """Yield the images in a folder and those below it, sorted by name.

    Hidden files and folders are skipped, links to folders are not followed. A folder that
    cannot be read yields one "missing" source that says so. `root` is the folder that the
    user named, if it is another.
    """
    root = root or folder
    try:
        for entry in sorted_entries(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from walk(entry.path, root)
            elif entry.is_file() and looks_like_image(entry.path):
                yield Source(entry.path, root=root)
    except OSError as error:
        yield Source(folder, "missing", (error.strerror or str(error)).lower(), root)


def sorted_entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield a folder's entries that are not hidden, by name, holding at most a slice of them.

    Raises:
        OSError: the folder cannot be read.
    """
    last = ""
    while True:
        with os.scandir(folder) as entries:
            visible = (e for e in entries if not e.name.startswith(".") and e.name > last)
            part = heapq.nsmallest(_SLICE, visible, key=lambda entry: entry.name)
        yield from part
        if len(part) < _SLICE:
            return
        last = part[-1].name


def looks_like_image(path: str) -> bool:
    """Whether a file is taken for an image: by its ending, else by its first bytes."""
    if os.path.splitext(path)[1].lower() in IMAGE_ENDINGS:
        return True
    try:
        with open(path, "rb") as file:
            return is_image_start(file.read(_SNIFF_BYTES))
    except OSError:
        return False


def is_image_start(start: bytes) -> bool:
    """Whether bytes begin like an image of a format that imgcls reads."""
    return (
        start.startswith(_SIGNATURES)
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or (start[4:8] == b"ftyp" and start[8:12] in (*_AVIF_BRANDS, *_HEIC_BRANDS))
    )


def is_heic_start(start: bytes) -> bool:
    """Whether bytes begin like a HEIC image, which Pillow reads only with a plugin."""
    if start[4:8] != b"ftyp" or start[8:12] not in _HEIC_BRANDS:
        return False
    # mif1 and msf1 only say "an image"; an AVIF that begins so names its own brand further on.
    further = start[16 : int.from_bytes(start[:4], "big")]
    return not any(further[i : i + 4] in _AVIF_BRANDS for i in range(0, len(further), 4))


def _has_magic(text: str) -> bool:
    return any(character in text for character in "*?[")


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _expand_glob(pattern: str) -> Iterator[Source]:
    drive, rest = os.path.splitdrive(pattern)
    parts = rest.replace(os.sep, "/").split("/")
    root = drive + (os.sep if rest.startswith(("/", os.sep)) else "")
    found = False
    for path in _glob(root, [part for part in parts if part]):
        for source in expand_path(path):
            found = True
            yield source
    if not found:
        yield Source(pattern, "missing", "no file matches")


def _glob(base: str, parts: list[str]) -> Iterator[str]:
    """Match like `glob.iglob`, but sorted without holding all names."""
    if not parts:
        yield base
        return
    head, *rest = parts
    if not _has_magic(head):
        path = os.path.join(base, head)
        if os.path.lexists(path):
            yield from _glob(path, rest)
        return
    if head == "**" and not rest:
        yield base or os.curdir
        return
    if head == "**":
        yield from _glob(base, rest)
    try:
        for entry in sorted_entries(base or os.curdir):
            path = os.path.join(base, entry.name)
            if head == "**":
                if entry.is_dir(follow_symlinks=False):
                    yield from _glob(path, parts)
            elif fnmatch.fnmatch(entry.name, head) and (not rest or entry.is_dir()):
                yield from _glob(path, rest)
    except OSError:
        return  # a folder that cannot be listed matches nothing, as in a shell


def _download(url: str) -> bytes:
    if is_offline():
        raise ImageError("not fetched: --offline (IMGCLS_OFFLINE) forbids the network")
    from imgcls.core.web import WebError, open_url

    content = bytearray()
    try:
        with open_url(url) as answer:
            for block in answer.blocks():
                content += block
                if len(content) > _MAX_DOWNLOAD:
                    raise ImageError(f"larger than {_MAX_DOWNLOAD // 2**20} MB")
    except WebError as error:
        raise ImageError(str(error) if error.status else f"cannot be fetched: {error}") from error
    return bytes(content)
