from __future__ import annotations

from imgcls.core.fonts import font_for, load_font


def test_a_font_that_has_the_characters_is_found() -> None:
    for text in ("tiger cat", "chat d’été", "кот", "γάτα"):
        path = font_for(text)
        assert path is not None and load_font(path, 20).getlength(text) > 20


def test_characters_that_no_font_has() -> None:
    assert font_for("\U000f1234") is None  # for private use


def test_spaces_need_no_shape() -> None:
    assert font_for("é\u3000\t") == font_for("é")
