"""Find a font that can write a text: the one that comes along, else one of the system's."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import ImageDraw, ImageFont

log = logging.getLogger("imgcls")

Font = ImageFont.FreeTypeFont

_ENDINGS = (".ttf", ".ttc", ".otf", ".otc")
# Tried first: fonts made to have the characters of many scripts.
_LIKELY = ("cjk", "unicode", "noto", "pingfang", "yahei", "gothic", "wqy", "droid")
_MOST_FONTS = 2_000


def font_for(text: str) -> str | None:
    """Return the file of a font that has a shape for every character of a text.

    None where no font of this machine has them.
    """
    if text.isascii():
        return _bundled()
    return _font_with("".join(sorted({c for c in text if not c.isspace()})))


@cache
def load_font(path: str | None, size: int) -> Font:
    """Load a font from its file in a size in pixels; None is the one that comes along."""
    return ImageFont.truetype(path or _bundled(), size)


def draw_line(
    draw: ImageDraw.ImageDraw,
    text: str,
    *,
    at: tuple[int, int],
    ink: str,
    size: int,
    width: int,
    without_font: str = "",
) -> None:
    """Write one line, smaller than asked for where it would be wider than there is room.

    Args:
        draw: where.
        text: what; where no font has its characters, that is said and codes stand for them.
        at: the upper left corner.
        ink: the colour.
        size: of the font, in pixels.
        width: how wide the line may be, in pixels.
        without_font: what is written instead where no font has the characters.
    """
    path = font_for(text)
    if path is None:
        note_missing_font(text)
        text = (without_font or text).encode("ascii", "backslashreplace").decode()
    font = load_font(path, size)
    fitting = int(size * min(1.0, width / max(1.0, font.getlength(text))))
    draw.text(at, text, ink, font if fitting == size else load_font(path, max(8, fitting)))


@cache
def note_missing_font(text: str) -> None:
    """Say, once for each text, that no font can write it, and which package brings one."""
    log.warning(
        "no font on this machine can write %s; it is drawn as character codes. A font of the "
        "Noto family has them (fonts-noto-cjk or fonts-noto-core on Debian and Ubuntu)",
        text.strip(),
    )


@cache
def _bundled() -> str:
    """Return DejaVu Sans, which comes with matplotlib; its place is found without importing it."""
    matplotlib = importlib.util.find_spec("matplotlib")
    folder = Path((matplotlib and matplotlib.origin) or "").parent
    return str(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")


@cache
def _font_with(characters: str) -> str | None:
    from matplotlib.ft2font import FT2Font

    for path in (_bundled(), *_system_fonts()):
        try:
            font = FT2Font(path)
            if all(font.get_char_index(ord(character)) for character in characters):
                ImageFont.truetype(path, 10)  # Pillow is to draw with it
                return path
        except (OSError, RuntimeError, ValueError):  # no scalable font, or damaged
            continue
    return None


@cache
def _system_fonts() -> tuple[str, ...]:
    """Return the files of the fonts of this machine, the likely ones first."""
    found = [path for folder in _folders() for path in _below(folder)]
    found.sort(key=lambda path: not any(word in path.lower() for word in _LIKELY))
    return tuple(found[:_MOST_FONTS])


def _folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", home)) / "Microsoft/Windows/Fonts"
        return [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts", local]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    data = os.environ.get("XDG_DATA_HOME") or home / ".local/share"
    own = [Path(data) / "fonts", home / ".fonts"]
    return [*own, Path("/usr/local/share/fonts"), Path("/usr/share/fonts")]


def _below(folder: Path) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (
            os.path.join(parent, name) for name in sorted(names) if name.lower().endswith(_ENDINGS)
        )
