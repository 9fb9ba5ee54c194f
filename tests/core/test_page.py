"""What the HTML pages share."""

from __future__ import annotations

import base64
import hashlib
import io

import pytest
from jinja2 import UndefinedError
from PIL import Image

from imgcls.core.page import (
    breakable,
    by_count,
    data_address,
    folder_and_name,
    is_page_of,
    least_size,
    marks,
    percent,
    sentence,
    template,
    thumbnail,
)

START = "data:image/jpeg;base64,"


def decoded(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg))


def test_an_address_has_all_of_a_picture() -> None:
    address = data_address(b"jpeg")
    assert address.startswith(START)
    assert base64.b64decode(address.removeprefix(START), validate=True) == b"jpeg"


def test_percent() -> None:
    assert [percent(share) for share in (0.0, 0.1234, 1.0, None)] == [
        "0.0%",
        "12.3%",
        "100.0%",
        "–",
    ]
    assert percent(0.12345, 2) == "12.35%" and percent(0.5, 0) == "50%"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
def test_a_thumbnail_fits_and_keeps_its_shape(mode: str) -> None:
    image = Image.new(mode, (200, 100), 200 if mode in "LP" else "red")
    small = decoded(thumbnail(image, 50))
    assert (small.size, small.mode, small.format) == ((50, 25), "RGB", "JPEG")
    assert image.size == (200, 100)  # the given one stays


def test_a_small_picture_is_not_enlarged() -> None:
    small = decoded(thumbnail(Image.new("RGB", (8, 8), (255, 0, 0)), 50))
    assert small.size == (8, 8)
    red, green, blue = small.getpixel((4, 4))  # type: ignore[misc]
    assert red > 250 and green < 5 and blue < 5


def test_a_page_is_known_as_that_of_its_command_alone() -> None:
    start = b"<!DOCTYPE html>\n<html><head>" + marks("predict")
    assert is_page_of("predict", start)
    assert not is_page_of("evaluate", start)
    assert not is_page_of("predict", b" " + start)
    assert not is_page_of("predict", marks("predict"))
    assert not is_page_of("predict", b"<!DOCTYPE html>\n<html>")


def test_the_most_frequent_come_first_then_by_name() -> None:
    assert by_count({"b": 1, "c": 2, "a": 1}) == [("c", 2), ("a", 1), ("b", 1)]


def test_what_a_template_is_given_is_escaped_and_must_be_there() -> None:
    environment = template("predictions.html").environment
    page = environment.from_string("{{ name|name }}")
    assert page.render(name="<b>\x1b&\udcff") == "&lt;b&gt;\\x1b&amp;\\udcff"
    with pytest.raises(UndefinedError):
        page.render()


def test_the_policy_names_the_script_as_it_stands_on_the_page() -> None:
    environment = template("predictions.html").environment
    for name in ("predictions.js", "evaluation.js"):
        pair = environment.from_string("{{ name|script }}\n{{ name|script_hash }}")
        script, _, called = pair.render(name=name).rpartition("\n")
        digest = hashlib.sha256(script.encode()).digest()
        assert called == "sha256-" + base64.b64encode(digest).decode()


def test_an_image_is_decoded_no_larger_than_its_thumbnail() -> None:
    assert least_size(100)(4000, 3000) == (100, 75)
    assert least_size(100)(30, 60) == (50, 100)


def test_a_name_may_break_after_a_slash_or_an_underscore() -> None:
    assert breakable("a/<b>_c-d") == "a/<wbr>&lt;b&gt;_<wbr>c-d"
    assert breakable("") == "" and breakable("/") == "/"


def test_a_path_is_its_folder_and_its_name() -> None:
    assert folder_and_name("a/b\x1b/c.jpg") == ("a/b\\x1b/", "c.jpg")
    assert folder_and_name("c.jpg") == ("", "c.jpg")
    assert folder_and_name("a/") == ("", "a/")


def test_a_sentence_begins_with_a_capital() -> None:
    assert [sentence(text) for text in ("cannot be read", "", "É")] == ["Cannot be read", "", "É"]
