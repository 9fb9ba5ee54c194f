"""HTML for notebooks: tables and pictures, with nothing of a stranger's in it unescaped."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.core.notebook import (
    escaped,
    heading,
    paragraph,
    picture,
    picture_of,
    png,
    shown_up_to,
    table,
)


def pixels(html: str) -> np.ndarray:
    found = re.fullmatch(r'<img src="data:image/jpeg;base64,([^"]*)" width="\d+">', html)
    assert found is not None
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found.group(1)))))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#x27;"),
        ("a\x1b[2J\n\u202e", r"a\x1b[2J\n\u202e"),
        ("\udcff", r"\udcff"),
        ("虎斑猫 кот", "虎斑猫 кот"),
        (7, "7"),
    ],
)
def test_what_goes_into_html(value: object, text: str) -> None:
    assert escaped(value) == text


def test_a_table() -> None:
    assert table(("la<bel", "score"), [("cat", 0.25), ("<script>", 3)]) == (
        "<table><thead><tr><th>la&lt;bel</th><th>score</th></tr></thead><tbody>"
        '<tr><td style="text-align:left">cat</td><td style="text-align:right">25.00%</td></tr>'
        '<tr><td style="text-align:left">&lt;script&gt;</td>'
        '<td style="text-align:right">3</td></tr></tbody></table>'
    )
    shaded = table(("score",), [(0.25,), (1.5,)], shades=True)
    assert "25.0%,transparent 25.0%" in shaded and "100.0%,transparent 100.0%" in shaded


def test_a_line() -> None:
    assert paragraph("<a>") == "<p>&lt;a&gt;</p>"
    assert heading("a") == "<p><b>a</b></p>"
    assert (shown_up_to(5, 5), shown_up_to(5, 7)) == ("", "<p>… and 2 more</p>")


def test_a_picture_is_small() -> None:
    assert pixels(picture(Image.new("RGB", (448, 100), (10, 200, 30)))).shape == (50, 224, 3)
    np.testing.assert_allclose(pixels(picture(Image.new("L", (9, 7), 77))), 77, atol=2)


def test_the_picture_of_a_file(tmp_path: Path, samples: Path) -> None:
    assert pixels(picture_of(str(samples / "cat.jpg"))).shape == (149, 224, 3)
    (tmp_path / "a.jpg").write_bytes(b"no image")
    for name in ("a.jpg", "none.jpg", "."):
        assert picture_of(str(tmp_path / name)) == ""
    assert picture_of("https://a.org/cat.jpg") == picture_of("-") == ""


def test_png() -> None:
    image = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
    again = Image.open(io.BytesIO(png(image)))
    assert again.format == "PNG"
    np.testing.assert_array_equal(np.asarray(again), np.asarray(image))
