"""What images a command will have to do with: whether any is there, and how many there are."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from imgcls.core.engines.engine import EngineName, Precision
from imgcls.core.engines.opening import count_for_engine
from imgcls.core.errors import ImgclsError
from imgcls.core.pixels.globs import has_magic, match
from imgcls.core.pixels.lists import read_names
from imgcls.core.pixels.sources import Source, raising
from imgcls.core.pixels.walking import walk

# The number, once it is known.
Total = Callable[[], int | None]

_LOOKED_AT = 1000  # images that are not there, before some other is taken to be


def total(
    inputs: Iterable[str],
    files_from: str | None = None,
    *,
    null: bool = False,
    skipped: Callable[[], int] = lambda: 0,
    tables: bool = False,
) -> Total:
    """Return what counts the images that INPUT... and --files-from stand for.

    Names are counted only, from the first time that the number is asked for, in a thread of its
    own. It is never known where a pipe or standard input is among them, which can be read once.

    Args:
        inputs: as the user wrote them.
        files_from: a list of more.
        null: whether NUL ends a name in that list.
        skipped: how many need not be done again.
        tables: whether a labelled table among the inputs stands for its images.
    """
    named = list(inputs)
    if not can_be_counted(named, files_from):
        return lambda: None
    counted = counted_beside(lambda: _images(named, files_from, null, tables))

    def number() -> int | None:
        found = counted()
        return None if found is None else found - skipped()

    return number


def can_be_counted(inputs: Iterable[str], files_from: str | None) -> bool:
    """Whether the inputs can be looked at ahead: none is a pipe, where one waits for the next."""
    return not any(map(_is_read_once, filter(None, [*inputs, files_from])))


def count_ahead(
    engine: EngineName, precision: Precision, sources: Iterator[Source], files_from: str | None
) -> tuple[int | None, Iterator[Source]]:
    """Count the images to choose the engine by; not those whose names a pipe has yet to bring.

    Args:
        engine: as for `count_for_engine`, like `precision`.
        precision: of the model.
        sources: of all inputs.
        files_from: a list of more.

    Returns:
        How many there are, if they were counted; and all the sources.
    """
    if files_from is not None and _is_read_once(files_from):
        return None, sources
    return count_for_engine(engine, precision, sources)


def _is_read_once(name: str) -> bool:
    return name == "-" or (os.path.exists(name) and not _is_kept(name))


def _is_kept(path: str) -> bool:
    return os.path.isfile(path) or os.path.isdir(path)


def any_there(
    sources: Iterator[Source], inputs: Iterable[str], files_from: str | None
) -> tuple[bool, Iterator[Source]]:
    """Look whether any image is there, so that a model is not fetched or compiled for none.

    Args:
        sources: read up to the first that is there, where they can be looked at ahead.
        inputs: as the user wrote them.
        files_from: a list of more.

    Returns:
        False if it is certain that none is there; and all the sources, which then say why.
    """
    absent: list[Source] = []
    if not can_be_counted(inputs, files_from):
        return True, sources
    try:
        for source in itertools.islice(sources, _LOOKED_AT):
            if not source.is_absent:
                return True, itertools.chain(absent, [source], sources)
            absent.append(source)
    except ImgclsError as error:  # is raised again at its place, after those before it
        return True, itertools.chain(absent, raising(error))
    gone = [source.with_content() for source in absent]
    if len(gone) == _LOOKED_AT or any(one.kind != "missing" for one in gone):  # it came just now
        return True, itertools.chain(absent, sources)
    return False, iter(gone)


def counted_beside(items: Callable[[], Iterator[Any]]) -> Total:
    """Return what counts items, in a thread that begins when the number is first asked for."""
    found: list[int] = []
    threads: list[threading.Thread] = []

    def count() -> None:
        try:
            found.append(sum(1 for _ in items()))
        except Exception:  # whatever it is, the work itself says it
            return

    def number() -> int | None:
        if not threads:
            threads.append(threading.Thread(target=count, daemon=True))
            threads[0].start()
        return found[0] if found else None

    return number


def _images(
    inputs: list[str], files_from: str | None, null: bool, tables: bool
) -> Iterator[object]:
    from imgcls.core.tasks.labelled.table import is_table, table_sources

    for text in inputs:
        if has_magic(text) and not os.path.lexists(text):
            for path in match(text):
                yield from _below(path)
        elif tables and is_table(text):
            yield from table_sources(text)
        else:
            yield from _below(text)
    if files_from is not None:
        for name in read_names(files_from, null=null):
            yield from _below(name)


def _below(path: str) -> Iterator[object]:
    if os.path.isdir(path):
        yield from walk(path, aloud=False)
    else:
        yield path
