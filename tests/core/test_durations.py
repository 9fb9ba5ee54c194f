from __future__ import annotations

import pytest

from imgcls.core.durations import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0.0, "less than 1 s"), (0.99, "less than 1 s"), (1.0, "1 s"), (99.4, "99 s")),
        *((99.5, "2 min"), (3569.0, "59 min"), (3590.0, "1 h"), (4321.0, "1 h 12 min")),
    ],
)
def test_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
