"""What is said in several places: lengths of time, how many there are, that it is unknown."""

from __future__ import annotations

from collections.abc import Sequence


def duration(seconds: float) -> str:
    """Return a length of time as people say it: "less than 1 s", "35 s", "4 min", "1 h 12 min"."""
    if seconds < 1:
        return "less than 1 s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def counted(number: int, noun: str, form: str = "d") -> str:
    """Return a number with its noun: "1 image", "5 images", "2 classes".

    Args:
        number: how many.
        noun: of one.
        form: how the number is written; "," parts thousands.
    """
    return f"{number:{form}} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Return a noun of several: "images", "batches"; a unit's sign like "MB" is as it is."""
    if noun.isupper():
        return noun
    soft = noun.endswith(("s", "x", "ch", "sh")) and noun != "epoch"
    return f"{noun}es" if soft else f"{noun}s"


def unknown(label: str, score: float, word: str = "unknown") -> str:
    """Return what is said of an image that is none of the classes: "unknown (nearest: car 9.70%)".

    Args:
        label: of the best class.
        score: its score, 0 to 1.
        word: "unknown", as it is painted.
    """
    return f"{word} (nearest: {label} {score:.2%})"


def listed(parts: Sequence[str]) -> str:
    """Return several things as people list them: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
