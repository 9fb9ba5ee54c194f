"""Plain and odd PBM, PGM and PPM files against their definition."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcls.core.errors import ImageError
from imgcls.core.pixels.images import open_image


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(open_image(content).image)


@given(st.data())
def test_any_depth_in_text_and_binary(data: st.DataObject) -> None:
    width, height, channels = (data.draw(st.sampled_from(range(1, n))) for n in (6, 6, 3))
    channels = {1: 1, 2: 3}[channels]
    white = data.draw(st.integers(1, 65535))
    count = width * height * channels
    values = data.draw(st.lists(st.integers(0, white), min_size=count, max_size=count))
    expected = np.rint(np.array(values) * (255 / white)).astype(int).tolist()
    space = data.draw(st.sampled_from([b" ", b"\n", b" #a 9 comment\n", b"\t\r\n"]))
    head = space.join(b"%d" % n for n in (width, height, white))
    text = b"P%d" % (3 if channels == 3 else 2) + space + head + b"\n"
    text += space.join(b"%d" % value for value in values)
    binary = b"P%d" % (6 if channels == 3 else 5) + space + head + b"\n"
    binary += np.array(values, np.uint8 if white < 256 else ">u2").tobytes()
    for content in (text, binary):
        got = pixels(content)[..., :channels].reshape(-1)
        assert got.tolist() == expected


def test_bits_as_text() -> None:
    assert pixels(b"P1 3 2\n01 0 # two rows\n111")[..., 0].tolist() == [[255, 0, 255], [0, 0, 0]]


def test_values_above_the_greatest_are_white() -> None:
    assert pixels(b"P2 2 1 10\n11 5")[0, :, 0].tolist() == [255, 128]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"P2 2 1 10\n1", "truncated PPM"),
        (b"P2 2 1 10\n", "truncated PPM"),
        (b"P5 2 1 10\n1", "truncated PPM"),
        (b"P5 2 1 1000\n123", "truncated PPM"),
        (b"P1 2 2\n011", "truncated PPM"),
        (b"P1 2 2\n0112", r"damaged PPM \(what should be a bit is none\)"),
        (b"P2 2 1 10\n1 -1", r"damaged PPM \(what should be a number is none\)"),
        (b"P2 2 1 10\nx y", r"damaged PPM \(what should be a number is none\)"),
        (b"P2 0 1 10\n1", r"damaged PPM \(a side or the greatest value is out of range\)"),
        (b"P5 1 1 65536\n123", r"damaged PPM \(a side or the greatest value is out of range\)"),
        (b"P3 99999 99999 10\n1", "too large: 99999×99999 pixels; at most 256 megapixels"),
        (b"P3 2 2 10\n" + b"#\n" * 10**6, "truncated PPM"),
    ],
)
def test_damage(content: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=f"^{reason}$"):
        open_image(content)


def test_ordinary_files_are_fast() -> None:
    values = np.random.default_rng(0).integers(0, 255, (1000, 1000, 3))
    text = b"P3 1000 1000 254\n" + b" ".join(b"%d" % value for value in values.ravel())
    binary = b"P6 1000 1000 254\n" + values.astype(np.uint8).tobytes()
    start = time.process_time()
    from_text, from_binary = pixels(text), pixels(binary)
    assert time.process_time() - start < 1.5  # a number at a time they took over 5 s
    np.testing.assert_array_equal(from_text, from_binary)
    np.testing.assert_array_equal(from_binary, np.rint(values * (255 / 254)))
