from __future__ import annotations

import pytest

from imgcls.core.words import counted, duration, listed, unknown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0.0, "less than 1 s"), (0.99, "less than 1 s"), (1.0, "1 s"), (99.4, "99 s")),
        *((99.5, "2 min"), (3569.0, "59 min"), (3590.0, "1 h"), (4321.0, "1 h 12 min")),
    ],
)
def test_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_numbers_with_their_nouns() -> None:
    assert [counted(n, "finding") for n in (0, 1, 2)] == ["0 findings", "1 finding", "2 findings"]
    assert [counted(n, "class") for n in (1, 2)] == ["1 class", "2 classes"]
    assert [counted(n, "epoch") for n in (1, 5)] == ["1 epoch", "5 epochs"]
    assert [counted(n, "batch") for n in (1, 2)] == ["1 batch", "2 batches"]
    assert [counted(n, "MB") for n in (1, 5)] == ["1 MB", "5 MB"]
    assert counted(12345, "image", ",") == "12,345 images"


def test_an_unknown_image_has_a_nearest_class() -> None:
    assert unknown("car", 0.63427) == "unknown (nearest: car 63.43%)"
    assert unknown("car", 1, "\x1b[33munknown\x1b[0m") == (
        "\x1b[33munknown\x1b[0m (nearest: car 100.00%)"
    )


def test_several_things_in_a_row() -> None:
    assert [listed(text) for text in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]
