"""Images, told by their first bytes."""

from __future__ import annotations

from imgcls.core.pixels.formats import is_heic_start

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


def test_heic_start() -> None:
    assert is_heic_start(b"\x00\x00\x00\x18ftypheic" + bytes(20))
    assert is_heic_start(b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic")
    assert not is_heic_start(b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif")
    assert not is_heic_start(b"\x00\x00\x00\x18ftypavif" + bytes(20))
    assert not is_heic_start(PNG)
