"""Inputs → parts: slices with names that say what is in them.

A part is so many inputs that follow each other. Its name holds its place and a hash of the
inputs' names and of all that decides their records, so the same command always makes the same
parts, whoever makes them and however often; a part of another model or of other inputs has
another name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from imgcls.core.pixels.source import Source

# part-PLACE-HASH; what follows is the ending of the format.
_NAME = re.compile(r"part-[0-9]{6,}-[0-9a-f]{16}\.[a-z]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A slice of the inputs.

    Attributes:
        name: of its file in the output folder.
        sources: the inputs, in order.
    """

    name: str
    sources: tuple[Source, ...]


def parts_of(sources: Iterable[Source], facts: str, size: int, ending: str) -> Iterator[Part]:
    """Yield the parts of the inputs, read lazily.

    Args:
        sources: the inputs.
        facts: all that decides what a record says, besides the input itself.
        size: how many inputs a part has; the last has fewer.
        ending: of the files, ".parquet" or ".jsonl".
    """
    stream = iter(sources)
    place = 0
    while inside := tuple(islice(stream, size)):
        key = hashlib.sha256(json.dumps([facts, packed(inside)]).encode()).hexdigest()[:16]
        yield Part(f"part-{place:06}-{key}{ending}", inside)
        place += 1


def is_part_name(name: str) -> bool:
    """Whether a file is called as a part is."""
    return _NAME.fullmatch(name) is not None


def packed(sources: Iterable[Source]) -> list[list[str]]:
    """Return sources as JSON can have them."""
    return [[one.name, one.kind, one.reason, one.root, one.label] for one in sources]


def unpacked(rows: Iterable[list[str]]) -> list[Source]:
    """Return the sources that `packed` was given."""
    return [Source(*row) for row in rows]  # type: ignore[arg-type]
