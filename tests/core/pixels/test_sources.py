"""INPUT... → sources, in the order given."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcls.core.errors import NoImagesError
from imgcls.core.pixels.sources import Source, as_sources, counted_ahead, expand, read_list
from tests.core.pixels.input_files import PNG, make, names


class Stdin:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_inputs_keep_their_order(inside: Path) -> None:
    make(inside, "f/1.jpg", "f/2.jpg", "e.jpg")
    assert names(expand(["f", "e.jpg", "f/1.jpg"])) == ["f/1.jpg", "f/2.jpg", "e.jpg", "f/1.jpg"]


def test_hidden_ones_named_outright_are_taken(inside: Path) -> None:
    make(inside, ".f/a.jpg", ".b.jpg")
    assert names(expand([".f", ".b.jpg"])) == [".f/a.jpg", ".b.jpg"]


def test_file_named_outright_is_always_tried(inside: Path) -> None:
    (inside / "notes.txt").write_text("Dear diary")
    assert list(expand(["notes.txt", "absent"])) == [Source("notes.txt"), Source("absent")]


@pytest.mark.linux
def test_files_from_names_are_literal(inside: Path) -> None:
    make(inside, "f/a.jpg", "b.jpg")
    (inside / "list").write_bytes(b"*.jpg\nf\n-\ncaf\xe9.jpg\nhttp://example.org/a.jpg\n")
    found = list(read_list("list"))
    assert [source.kind for source in found] == ["file", "file", "file", "file", "url"]
    assert [os.fsencode(source.name) for source in found[:4]] == [
        *(b"*.jpg", b"f/a.jpg", b"-", b"caf\xe9.jpg"),
    ]


def test_stdin_is_one_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(PNG))
    (source,) = expand(["-"])
    assert (source.name, source.kind, source.read()) == ("-", "stdin", PNG)


@pytest.mark.posix
def test_a_file_url_is_the_path_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "a b.jpg").write_bytes(b"")
    name = str(tmp_path / "a b.jpg")
    assert list(expand([(tmp_path / "a b.jpg").as_uri()])) == [Source(name)]
    assert [one.name for one in expand([tmp_path.as_uri()])] == [name]


def test_inputs_may_be_one_path_many_or_sources(tmp_path: Path) -> None:
    given = Source("odd*name.jpg")
    assert [one.name for one in as_sources("a.jpg")] == ["a.jpg"]
    assert [one.name for one in as_sources(tmp_path / "a.jpg")] == [str(tmp_path / "a.jpg")]
    assert list(as_sources(["-", given, Path("b.jpg")])) == [
        *(Source("-", "stdin"), given, Source("b.jpg")),
    ]


def test_inputs_are_read_as_they_are_asked_for() -> None:
    def names():  # type: ignore[no-untyped-def]
        yield "a.jpg"
        pytest.fail("the second was not asked for")

    assert next(as_sources(names())).name == "a.jpg"


def test_sources_that_are_counted_come_all_the_same() -> None:
    sources = [Source(name) for name in "abcd"]
    count, again = counted_ahead(iter(sources), 3)
    assert (count, list(again)) == (3, sources)
    count, again = counted_ahead(iter(sources), 9)
    assert (count, list(again)) == (4, sources)


def test_a_source_that_fails_while_they_are_counted_fails_at_its_place() -> None:
    def failing() -> Iterator[Source]:
        yield Source("a")
        raise NoImagesError("no more")

    count, again = counted_ahead(failing(), 9)
    assert count == 1
    assert next(again) == Source("a")
    with pytest.raises(NoImagesError, match="no more"):
        next(again)
