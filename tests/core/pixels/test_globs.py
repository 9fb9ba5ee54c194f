"""Quoted globs."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.errors import ImageError
from imgcls.core.pixels.sources import Source, expand
from tests.core.pixels.input_files import make, names


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("f/*.jpg", ["f/a.jpg", "f/b.jpg"]),
        ("f/?.jpg", ["f/a.jpg", "f/b.jpg"]),
        ("f/[b-z].*", ["f/b.jpg", "f/c.txt"]),
        ("*/a.jpg", ["f/a.jpg", "g/a.jpg"]),
        ("**/a.jpg", ["a.jpg", "f/a.jpg", "f/s/a.jpg", "g/a.jpg"]),
        ("f/**/*.jpg", ["f/a.jpg", "f/b.jpg", "f/s/a.jpg", "f/s/t/d.jpg"]),
        ("f/**", ["f/a.jpg", "f/b.jpg", "f/c.txt", "f/s/a.jpg", "f/s/t/d.jpg"]),
        ("f/s*", ["f/s/a.jpg", "f/s/t/d.jpg"]),  # a folder that matches is walked
        ("./g/*", ["./g/a.jpg"]),
        ("f/../g/*", ["f/../g/a.jpg"]),
        ("f/s/t/*.jpg", ["f/s/t/d.jpg"]),
        (".h/*", [".h/e.jpg"]),
    ],
)
def test_globs(inside: Path, pattern: str, expected: list[str]) -> None:
    make(inside, "f/b.jpg", "f/a.jpg", "f/c.txt", "f/s/a.jpg", "f/s/t/d.jpg", "g/a.jpg", "a.jpg")
    make(inside, ".h/e.jpg", "f/.hidden.jpg")
    assert names(expand([pattern])) == expected


def test_absolute_glob(inside: Path) -> None:
    make(inside, "f/b.jpg", "f/a.jpg")
    assert names(expand([f"{inside}/f/*.jpg"])) == [f"{inside}/f/a.jpg", f"{inside}/f/b.jpg"]


@pytest.mark.parametrize("pattern", ["*.jpg", "absent/*.jpg", "f/**/*.webp"])
def test_glob_that_matches_nothing_is_a_failed_input(inside: Path, pattern: str) -> None:
    make(inside, "f/a.png")
    (source,) = expand([pattern])
    assert source == Source(pattern, "missing", "no file matches")
    with pytest.raises(ImageError, match=r"^no file matches$"):
        source.read()


def test_file_whose_name_looks_like_a_glob(inside: Path) -> None:
    make(inside, "a[1].jpg", "a1.jpg", "[f]/b*.jpg")
    assert names(expand(["a[1].jpg", "[f]"])) == ["a[1].jpg", "[f]/b*.jpg"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("shots [2024]/*.jpg", ["shots [2024]/a.jpg"]),
        ("*/shots [2024]/?.jpg", ["f/shots [2024]/b.jpg"]),
        ("shots [2]/*.jpg", ["shots 2/c.jpg"]),
    ],
)
def test_a_part_that_exists_literally_is_literal(
    inside: Path, pattern: str, expected: list[str]
) -> None:
    make(inside, "shots [2024]/a.jpg", "f/shots [2024]/b.jpg", "shots 2/c.jpg")
    assert names(expand([pattern])) == expected


@pytest.mark.posix
def test_a_link_to_itself_ends_no_glob(inside: Path) -> None:
    make(inside, "f/a/1.jpg", "f/c/1.jpg")
    (inside / "f/b").symlink_to("b")
    assert names(expand(["f/*/1.jpg"])) == ["f/a/1.jpg", "f/c/1.jpg"]
    assert names(expand(["f/**/1.jpg"])) == ["f/a/1.jpg", "f/c/1.jpg"]


@pytest.mark.posix
def test_a_matched_link_that_leads_nowhere_is_an_error(inside: Path) -> None:
    (inside / "a.jpg").symlink_to("absent")
    (source,) = expand(["*.jpg"])
    with pytest.raises(ImageError, match=r"^a link that leads nowhere$"):
        source.read()
