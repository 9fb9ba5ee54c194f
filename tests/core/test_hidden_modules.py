from __future__ import annotations

import importlib
import sys

import pytest

from imgcls.core.hidden_modules import hidden_modules


def test_they_are_not_found_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imported_before", sys)
    with hidden_modules("imported_before", "this"):
        for name in ("imported_before", "this"):
            with pytest.raises(ImportError):
                importlib.import_module(name)
    assert sys.modules["imported_before"] is sys
    assert "this" not in sys.modules


def test_they_come_back_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imported_before", sys)
    with pytest.raises(ZeroDivisionError), hidden_modules("imported_before"):
        raise ZeroDivisionError
    assert importlib.import_module("imported_before") is sys
