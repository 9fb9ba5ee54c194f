from __future__ import annotations

from pathlib import Path

from imgcls import classify
from imgcls.core.pixels.sources import Source


class Odd(Source):
    """An image whose reading fails in a way that nobody has thought of."""

    def read(self) -> bytes:
        raise ZeroDivisionError("of all things")


def test_any_exception_of_one_image_is_its_record(samples: Path) -> None:
    good = samples / "cat.jpg"
    records = list(classify([good, Odd("odd.jpg"), good], top=1))
    assert [record.status for record in records] == ["ok", "error", "ok"]
    assert records[1].path == "odd.jpg"
    assert "of all things" in (records[1].error or "")
    assert records[0] == records[2]
