from __future__ import annotations

import logging

import pytest

from imgcls.core.content_cache import Memo, open_memo


def test_what_is_put_is_got_by_another_run() -> None:
    with open_memo("test-1") as memo:
        memo.put((f"{i:064d}", bytes([i % 256])) for i in range(1200))
    with open_memo("test-1") as memo:
        found = memo.get([f"{i:064d}" for i in range(-1, 1201)])
    assert len(found) == 1200
    assert found[f"{300:064d}"] == bytes([44])


@pytest.mark.parametrize("content", [b"no database" * 500, b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_file_is_made_anew(
    content: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_memo("test-2") as memo:
        memo.put([("a", b"b")])
        path = memo.path
    path.write_bytes(content)
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    again = Memo("test-2")
    assert again.get(["a"]) == {}
    again.put([("a", b"c")])
    assert again.get(["a"]) == {"a": b"c"}
    again.close()
    assert "damaged" in caplog.text
