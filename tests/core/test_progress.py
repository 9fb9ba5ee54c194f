"""Progress for whoever wants to show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from imgcls.core import progress as module
from imgcls.core.progress import progress, show_with, with_bar


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_shows", [])


def test_silent_by_default() -> None:
    assert list(progress(range(3), "image")) == [0, 1, 2]


def test_the_last_that_asked_shows_it() -> None:
    shown: list[tuple[Any, ...]] = []

    def show(
        items: Iterable[Any], unit: str, total: int | None = None, **how: Any
    ) -> Iterator[Any]:
        shown.append((unit, total, how))
        yield from items

    show_with(lambda items, unit, total=None, **how: iter(()))
    show_with(show)
    assert list(progress("ab", "photo", 2)) == ["a", "b"]
    assert list(progress("ab", "photo", title="epoch 1", amount=len)) == ["a", "b"]
    assert shown == [
        ("photo", 2, {"title": "", "status": None, "amount": None}),
        ("photo", None, {"title": "epoch 1", "status": None, "amount": len}),
    ]


def test_a_bar_for_python_callers(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(with_bar(iter("abc"), "image")) == ["a", "b", "c"]
    out, err = capsys.readouterr()
    assert out == "" and "3 images" in err
    assert list(with_bar(["a"], "image")) == ["a"]
    assert "1 image " in capsys.readouterr().err
