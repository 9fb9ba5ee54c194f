"""What the HTML pages share: one self-contained file, escaped, that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from imgcls.core.safe import readable
from imgcls.core.version import __version__
from imgcls.core.words import counted

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup
    from PIL import Image

# Thumbnails have more pixels than they are shown with on most screens.
_JPEG_QUALITY = 70


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("imgcls.core"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "name": readable,
        "percent": percent,
        "script": _script,
        "counted": counted,
        "breakable": breakable,
        "folder_and_name": folder_and_name,
        "sentence": sentence,
    }
    environment.filters |= {"script_hash": _script_hash}
    environment.globals["version"] = __version__
    return environment


def template(name: str) -> Template:
    """Return a template of this package; everything it is given is escaped."""
    return _environment().get_template(name)


def breakable(text: str) -> Markup:
    """Return a name that a line may break after a `/` or `_` of."""
    from markupsafe import Markup, escape

    parts = re.split(r"(?<=[/_])", readable(text))
    return Markup("<wbr>").join(map(escape, filter(None, parts)))


def folder_and_name(path: str) -> tuple[str, str]:
    """Return a path, as a page shows it, as its folder with the last separator, and the rest."""
    shown = readable(path)
    folder, name = re.fullmatch(r"(.*[/\\])?(.*)", shown, re.DOTALL).groups("")  # type: ignore[union-attr]
    return (folder, name) if name else ("", shown)


def sentence(text: str) -> str:
    """Return a text with a capital at its start."""
    return text[:1].upper() + text[1:]


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share of 0 to 1 in percent; a dash for none."""
    return "–" if share is None else f"{share:.{digits}%}"


def thumbnail(image: Image.Image, side: int) -> bytes:
    """Return a picture, made to fit side×side pixels, as a JPEG file."""
    from PIL import Image

    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    small.convert("RGB").save(encoded, "JPEG", quality=_JPEG_QUALITY, optimize=False)
    return encoded.getvalue()


def least_size(side: int) -> Callable[[int, int], tuple[int, int]]:
    """Return what tells a decoder how large an image must be for a thumbnail of this side."""

    def of(width: int, height: int) -> tuple[int, int]:
        scale = side / max(width, height)
        return round(width * scale), round(height * scale)

    return of


def data_address(jpeg: bytes) -> str:
    """Return a picture as a `data:` address, which has all of it."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def marks(command: str) -> bytes:
    """Return what stands near the start of every page that a command writes."""
    return f'<meta name="generator" content="imgcls {command}">'.encode()


def _source(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8")


def _script(name: str) -> Markup:
    """Return a script's text, to stand between the tags exactly so."""
    from markupsafe import Markup

    return Markup(_source(name))


def _script_hash(name: str) -> str:
    """Return what the content security policy calls the script: no other one may run."""
    digest = hashlib.sha256(_source(name).encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def is_page_of(command: str, start: bytes) -> bool:
    """Whether a file's first bytes are those of a page that a command wrote."""
    return start.startswith(b"<!DOCTYPE html>") and marks(command) in start


def by_count(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Return names and counts, the most frequent first, then by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
