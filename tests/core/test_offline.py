from __future__ import annotations

import pytest

from imgcls.core.offline import is_offline


@pytest.mark.parametrize(
    ("value", "forbidden"),
    [("1", True), ("true", True), ("yes", True), ("", False), ("0", False), ("No", False)],
)
def test_the_network_is_forbidden_by_a_variable(
    value: str, forbidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMGCLS_OFFLINE", value)
    assert is_offline() == forbidden


def test_the_network_is_allowed_unless_something_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMGCLS_OFFLINE", raising=False)
    assert not is_offline()
