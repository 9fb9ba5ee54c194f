"""Pixels as they come in: every expectation is an exact value, or a bound where JPEG is lossy."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngImageFile

from imgcls.core.errors import ImageError
from imgcls.core.pixels.decode import FORMATS, MAX_PIXELS
from imgcls.core.pixels.images import open_image
from imgcls.core.pixels.preprocessing import Preprocessing

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, format_name, **options)
    return content.getvalue()


# What makes a format keep the most.
BEST: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "MPO": {"quality": 100, "subsampling": 0},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    "WEBP": {"lossless": True},
}


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(open_image(content).image)


def quarters(width: int = 32, height: int = 16) -> Image.Image:
    """Return red, green / blue, white quarters: no turn or flip leaves it as it is."""
    image = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), RED)
    draw.rectangle((width // 2, 0, width - 1, height // 2 - 1), GREEN)
    draw.rectangle((0, height // 2, width // 2 - 1, height - 1), BLUE)
    return image


# What undoes each orientation, done backwards to an upright image, gives the stored one.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation_is_applied(format_name: str, orientation: int) -> None:
    upright = quarters()
    turn = STORED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(stored, format_name, exif=exif, **BEST.get(format_name, {}))
    opened = open_image(content)
    assert (opened.width, opened.height) == (32, 16)
    np.testing.assert_allclose(
        np.asarray(opened.image, int), np.asarray(upright, int), atol=8
    )  # JPEG's and AVIF's rounding


def test_orientation_of_no_sense_is_none() -> None:
    exif = Image.Exif()
    exif[0x0112] = 9
    np.testing.assert_array_equal(
        pixels(encoded(quarters(), "PNG", exif=exif)), np.asarray(quarters())
    )


def test_alpha_is_laid_on_white() -> None:
    image = Image.new("RGBA", (3, 1))
    image.putdata([(255, 0, 0, 255), (255, 0, 0, 0), (255, 0, 0, 128)])
    expected = [[[255, 0, 0], [255, 255, 255], [255, 127, 127]]]
    assert pixels(encoded(image, "PNG")).tolist() == expected


def test_alpha_of_grey_is_laid_on_white() -> None:
    image = Image.new("LA", (3, 1))
    image.putdata([(40, 255), (40, 0), (0, 51)])  # a fifth of black on white: 204
    expected = [[[40] * 3, [255] * 3, [204] * 3]]
    assert pixels(encoded(image, "PNG")).tolist() == expected


@pytest.mark.parametrize("format_name", ["PNG", "GIF"])
def test_transparent_palette_entry_is_white(format_name: str) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putdata([0, 1])
    content = encoded(image, format_name, transparency=1)
    assert pixels(content).tolist() == [[list(RED), list(WHITE)]]


def test_palette_with_an_alpha_for_each_entry() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putdata([0, 1])
    content = encoded(image, "PNG", transparency=bytes([255, 51]))
    assert pixels(content).tolist() == [[[255, 0, 0], [204, 204, 255]]]


def test_transparent_color_of_rgb_is_white() -> None:
    image = Image.new("RGB", (2, 1))
    image.putdata([RED, BLUE])
    content = encoded(image, "PNG", transparency=BLUE)
    assert pixels(content).tolist() == [[list(RED), list(WHITE)]]


def test_transparent_value_of_grey_is_white() -> None:
    image = Image.new("L", (2, 1))
    image.putdata([7, 9])
    assert pixels(encoded(image, "PNG", transparency=7)).tolist() == [[[255] * 3, [9] * 3]]


def test_transparent_value_of_16_bit_grey_is_white() -> None:
    content = encoded(grey_16(), "PNG")
    header, rest = content[:33], content[33:]  # signature and IHDR
    chunk = b"tRNS" + struct.pack(">H", 257)
    chunk = struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk))
    assert pixels(header + chunk + rest)[0, :, 0].tolist() == [0, 255, 128, 255]


def test_palette() -> None:
    image = quarters().quantize(4)
    np.testing.assert_array_equal(pixels(encoded(image, "PNG")), np.asarray(quarters()))


def test_1_bit() -> None:
    image = Image.new("1", (2, 1))
    image.putdata([0, 255])
    assert pixels(encoded(image, "PNG")).tolist() == [[[0] * 3, [255] * 3]]


def grey_16() -> Image.Image:
    return Image.fromarray(np.array([[0, 257, 32896, 65535]], np.uint16))


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "PPM"])
def test_16_bit_is_scaled(format_name: str) -> None:
    # 257 = 0x0101: one 255th of white. Clipping would make all but the first 255.
    assert pixels(encoded(grey_16(), format_name))[0].tolist() == [
        [0] * 3,
        [1] * 3,
        [128] * 3,
        [255] * 3,
    ]


def test_dark_16_bit_stays_dark() -> None:
    image = Image.fromarray(np.array([[2570, 4112]], np.uint16))  # more than 12 bits
    assert pixels(encoded(image, "PNG")).tolist() == [[[10] * 3, [16] * 3]]


def test_16_bit_turned_tiff() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(grey_16().transpose(Image.Transpose.ROTATE_90), "TIFF", exif=exif)
    opened = open_image(content)
    assert (opened.width, opened.height) == opened.image.size == (4, 1)
    assert np.asarray(opened.image)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_32_bit_integers_are_stretched() -> None:
    image = Image.fromarray(np.array([[0, 100_000, 500_000]], np.int32))
    assert pixels(encoded(image, "TIFF"))[0, :, 0].tolist() == [0, 51, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([0.0, 0.2, 1.0], [0, 51, 255], id="0 to 1"),
        pytest.param([0.2, 0.4], [51, 102], id="within 0 to 1"),
        pytest.param([0.0, 51.0, 255.0], [0, 51, 255], id="0 to 255"),
        pytest.param([-1.0, 0.0, 1.0], [0, 128, 255], id="around 0"),
        pytest.param([0.0, 200.0, 1000.0], [0, 51, 255], id="beyond 255"),
        pytest.param([-3.0, -3.0], [0, 0], id="constant"),
        pytest.param([float("nan"), float("inf"), 0.2], [0, 0, 51], id="not finite"),
    ],
)
def test_floats_are_scaled(values: list[float], expected: list[int]) -> None:
    content = encoded(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert pixels(content)[0, :, 0].tolist() == expected


def test_cmyk_jpeg() -> None:
    # C, M, Y, K as ink: no ink is white, all of K is black.
    for ink, expected in (
        ((0, 0, 0, 0), 255),
        ((0, 0, 0, 255), 0),
        ((0, 0, 0, 127), 128),
    ):
        content = encoded(Image.new("CMYK", (8, 8), ink), "JPEG", quality=100)
        assert np.abs(pixels(content).astype(int) - expected).max() <= 2
    cyan = pixels(encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG", quality=100))
    assert np.abs(cyan[0, 0].astype(int) - [0, 255, 255]).max() <= 2


def test_grey_is_enough(samples: Path) -> None:
    content = (samples / "cat.jpg").read_bytes()
    full = lambda width, height: (width, height)  # noqa: E731
    grey, colour = open_image(content, full, grey=True).image, open_image(content).image
    assert grey.mode == "L" and grey.size == colour.size
    difference = np.subtract(grey, colour.convert("L"), dtype=np.int16)
    assert np.abs(difference).mean() < 0.5


@pytest.mark.parametrize("format_name", ["GIF", "PNG", "WEBP", "TIFF"])
def test_first_frame_of_an_animation(format_name: str) -> None:
    first, second = (Image.new("RGB", (8, 4), color) for color in (RED, BLUE))
    content = encoded(
        first, format_name, save_all=True, append_images=[second], **BEST.get(format_name, {})
    )
    assert (pixels(content) == RED).all()


@pytest.mark.parametrize(
    ("format_name", "options"),
    [
        *((name, BEST.get(name, {})) for name in (*FORMATS, "MPO") if name != "ICO"),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TGA", {"compression": "tga_rle"}),
        ("ICO", {"sizes": [(32, 32)]}),
    ],
)
def test_formats_of_the_contract(format_name: str, options: dict[str, object]) -> None:
    image = quarters(32, 32)
    opened = open_image(encoded(image, format_name, **options))
    assert (opened.width, opened.height, opened.image.mode) == (32, 32, "RGB")
    lossy = format_name in {"JPEG", "AVIF", "MPO"}
    difference = np.abs(np.asarray(opened.image, int) - np.asarray(image, int))
    assert difference.max() <= (8 if lossy else 0)


def test_pgm() -> None:
    assert pixels(b"P5 3 1 255\n\x00\x80\xff")[0, :, 1].tolist() == [0, 128, 255]
    assert pixels(b"P2 2 1 15\n0 15\n")[0, :, 1].tolist() == [0, 255]


def test_avif_in_a_container_of_general_brand() -> None:
    content = encoded(quarters(), "AVIF", **BEST["AVIF"])
    assert content[4:12] == b"ftypavif"
    general = content[:8] + b"mif1" + content[12:]
    difference = pixels(general).astype(int) - np.asarray(quarters(), int)
    assert np.abs(difference).max() <= 8


def test_only_the_formats_of_the_contract_are_tried() -> None:
    assert set(FORMATS) == {
        *("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "DIB", "TIFF", "ICO", "PPM"),
        *("JPEG2000", "TGA"),
    }


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(EPS, id="EPS"),
        pytest.param(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", id="PDF"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>', id="SVG"),
        pytest.param(b"\xd7\xcd\xc6\x9a" + bytes(60), id="WMF"),
        pytest.param(b"Dear diary, this is no photo.\n", id="text"),
    ],
)
def test_what_is_no_image_is_never_opened(content: bytes) -> None:
    with pytest.raises(ImageError, match=r"^not an image, or of a format that is not read$"):
        open_image(content)


def test_pillow_itself_would_open_eps() -> None:
    # Or the test above would prove nothing.
    with Image.open(io.BytesIO(EPS)) as image:
        assert image.format == "EPS"


def test_empty_file() -> None:
    with pytest.raises(ImageError, match=r"^empty file$"):
        open_image(b"")


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_truncated(format_name: str, samples: Path) -> None:
    with Image.open(samples / "cat.jpg") as cat:
        content = encoded(cat, format_name)
    with pytest.raises(ImageError, match=f"^truncated {format_name}$"):
        open_image(content[: len(content) // 2])


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "AVIF", "TIFF", "BMP", "JPEG2000", "TGA"])
def test_cut_off_anywhere_is_an_image_error_or_an_image(format_name: str) -> None:
    content = encoded(quarters(), format_name)
    for length in range(0, len(content), max(1, len(content) // 40)):
        try:
            assert open_image(content[:length]).image.size == (32, 16)
        except ImageError as error:
            assert "\n" not in str(error) and str(error)


def test_bits_flipped_anywhere_are_an_image_error_or_an_image() -> None:
    random = np.random.default_rng(0)
    for format_name in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "ICO", "JPEG2000", "TGA", "AVIF"):
        content = np.frombuffer(encoded(quarters(32, 32), format_name), np.uint8)
        for _ in range(20):
            damaged = content.copy()
            damaged[random.integers(0, content.size, 4)] = random.integers(0, 256, 4)
            try:
                assert open_image(damaged.tobytes()).image.mode == "RGB"
            except ImageError as error:
                assert str(error)


def png_header(width: int, height: int) -> bytes:
    """Return a PNG of next to no bytes that says it is large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0")), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("side", [20_000, 60_000])
def test_too_many_pixels(side: int) -> None:
    assert side * side > MAX_PIXELS
    with pytest.raises(ImageError, match=r"^too large: .*at most 256 megapixels$"):
        open_image(png_header(side, side))


def test_most_pixels_are_not_too_many() -> None:
    with pytest.raises(ImageError, match=r"^truncated PNG$"):
        open_image(png_header(14_000, 14_000))


def test_memory_bounds_what_is_decoded() -> None:
    message = r"^too large: 16000×16000 pixels take 1024 MB; at most 870 MB$"
    with pytest.raises(ImageError, match=message):
        open_image(png_header(16_000, 16_000))


def test_heic_says_which_extra_reads_it() -> None:
    content = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64)
    try:
        import pillow_heif  # noqa: F401
    except ImportError:
        message = r"imgcls\[heic\]"
    else:
        message = "."
    with pytest.raises(ImageError, match=message):
        open_image(content)


@pytest.fixture(scope="module")
def large_jpeg() -> bytes:
    """Return a smooth photo of 3200×2400 pixels."""
    x, y = np.meshgrid(np.linspace(0, 6, 3200), np.linspace(0, 5, 2400))
    planes = [127 + 100 * np.sin(x + phase) * np.cos(y - phase) for phase in (0.0, 1.0, 2.0)]
    return encoded(Image.fromarray(np.stack(planes, -1).astype(np.uint8)), "JPEG", quality=92)


@pytest.mark.parametrize("resize", ["crop", "squash", "pad"])
@pytest.mark.parametrize("turned", [False, True])
def test_reduced_decoding(large_jpeg: bytes, resize: str, turned: bool) -> None:
    content = large_jpeg
    if turned:
        exif = Image.Exif()
        exif[0x0112] = 6
        with Image.open(io.BytesIO(large_jpeg)) as image:
            content = encoded(image, "JPEG", quality=92, exif=exif)
    preprocessing = Preprocessing(224, 256, "none", "bicubic", resize)  # type: ignore[arg-type]
    width, height = (2400, 3200) if turned else (3200, 2400)
    reduced, full = open_image(content, preprocessing.least_size), open_image(content)
    assert (reduced.width, reduced.height) == (full.width, full.height) == (width, height)
    assert full.image.size == (width, height)
    least = preprocessing.least_size(width, height)
    assert least is not None
    assert all(got >= wanted for got, wanted in zip(reduced.image.size, least, strict=True))
    assert reduced.image.width < width
    # What the network sees keeps at least twice its own resolution.
    box = preprocessing.seen_box(*reduced.image.size)
    if resize == "pad":
        assert max(reduced.image.size) >= 448
    else:
        assert min(box.right - box.left, box.bottom - box.top) >= 448
    one, other = preprocessing.fit(reduced.image), preprocessing.fit(full.image)
    assert np.abs(one.astype(int) - other.astype(int)).max() <= 4


def test_nearest_is_never_reduced(large_jpeg: bytes) -> None:
    preprocessing = Preprocessing(224, 256, "none", "nearest")
    assert open_image(large_jpeg, preprocessing.least_size).image.size == (3200, 2400)


def test_small_jpeg_is_never_reduced(samples: Path) -> None:
    content = (samples / "cat.jpg").read_bytes()
    preprocessing = Preprocessing(224, 256, "none", "bicubic")
    assert open_image(content, preprocessing.least_size).image.size == (451, 300)


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """Put a chunk behind a PNG's header."""
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:33] + chunk + png[33:]


HUGE_TABLE = b"II*\0\x08\0\0\0" + struct.pack("<H", 65535)
HUGE_TABLE += b"".join(struct.pack("<HHII", tag, 7, 1_000_000, 16) for tag in range(65535))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"eXIf", b"b'Exif\\x00\\x00II*\\x00'"),
        (b"eXIf", HUGE_TABLE + bytes(1_000_000)),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n  12\n4578no digits\n")),
        (b"zTXt", b"k\0\0" + zlib.compress(bytes(2**21))),
        (b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(2**21))),
        (b"iCCP", b"icc\0\0" + zlib.compress(bytes(2**21))),
        (b"iCCP", b"icc\0\0not zlib"),
        (b"iCCP", b"icc\0\x07"),
    ],
)
def test_metadata_of_a_png_never_spoils_good_pixels(kind: bytes, body: bytes) -> None:
    content = with_chunk(encoded(quarters(), "PNG"), kind, body)
    np.testing.assert_array_equal(pixels(content), np.asarray(quarters()))
    at_the_end = encoded(quarters(), "PNG")[:-12] + content[33 : 33 + 12 + len(body)]
    np.testing.assert_array_equal(
        pixels(at_the_end + encoded(quarters(), "PNG")[-12:]), np.asarray(quarters())
    )


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize(
    "exif", [b"", b"garbage", b"II*\0\xff\xff\xff\x7f", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_exif_that_cannot_be_read_never_spoils_good_pixels(format_name: str, exif: bytes) -> None:
    # TIFF has no such block; its colour profile is as bad.
    extra = {"icc_profile" if format_name == "TIFF" else "exif": b"Exif\0\0" + exif}
    if format_name == "AVIF":  # its writer reads EXIF, so a good block is spoilt afterwards
        good = Image.Exif()
        good[0x010E] = "some text that is long enough"
        extra = {"exif": good.tobytes()}
    content = encoded(quarters(), format_name, **BEST.get(format_name, {}), **extra)
    if format_name == "AVIF":
        assert b"some text" in content
        content = content.replace(b"MM\0*\0\0\0\x08", (exif + bytes(8))[:8])
    difference = pixels(content).astype(int) - np.asarray(quarters(), int)
    assert np.abs(difference).max() <= 8


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation_outside_1_to_8_is_ignored(format_name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    if format_name in ("AVIF", "TIFF"):
        options = {"exif": exif}
    else:
        options = {
            "exif": exif.tobytes().replace(b"\0\x03\0\0", struct.pack(">HH", orientation, 0))
        }
    content = encoded(quarters(), format_name, **BEST.get(format_name, {}), **options)
    if format_name == "TIFF":
        was = struct.pack("<HHIHH", 0x0112, 3, 1, 3, 0)
        assert was in content
        content = content.replace(was, struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0))
    opened = open_image(content)
    assert (opened.width, opened.height) == opened.image.size == (32, 16)
    if format_name != "AVIF":  # there it was turned as it was written
        difference = np.asarray(opened.image, int) - np.asarray(quarters(), int)
        assert np.abs(difference).max() <= 8


def test_large_images_are_reduced_as_they_are_converted() -> None:
    image = Image.new("L", (8000, 4400))
    image.paste(200, (4000, 0, 8000, 4400))
    content = encoded(image, "PNG", compress_level=1)
    full = open_image(content)
    assert full.image.size == (full.width, full.height) == (8000, 4400)
    preprocessing = Preprocessing(224, 256, "none", "bicubic")
    reduced = open_image(content, preprocessing.least_size)
    assert (reduced.width, reduced.height) == (8000, 4400)
    assert reduced.image.size == (1000, 550)
    assert np.asarray(reduced.image)[[0, 0, -1, -1], [0, -1, 499, 500], 1].tolist() == [
        0,
        200,
        0,
        200,
    ]


FORMATS_TO_DAMAGE = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "ICO", "JPEG2000", "TGA", "PPM")


@settings(max_examples=300)
@given(
    format_name=st.sampled_from(FORMATS_TO_DAMAGE),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=4),
    kept=st.floats(0.2, 1),
)
def test_damage_of_any_kind_is_an_image_or_an_image_error(
    format_name: str, changes: list[tuple[float, bytes]], kept: float
) -> None:
    content = bytearray(_WHOLE[format_name])
    for place, new in changes:
        at = int(place * len(content))
        content[at : at + len(new)] = new
    before = bytes(content[: int(len(content) * kept)])
    try:
        assert open_image(before).image.mode == "RGB"
    except ImageError as error:
        assert str(error).isprintable() and len(str(error)) < 260


_WHOLE = {name: encoded(quarters(16, 16), name) for name in FORMATS_TO_DAMAGE}


def test_any_exception_is_an_image_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(Exception):
        pass

    def load(image: Image.Image) -> None:
        raise Odd("two\nlines")

    monkeypatch.setattr(PngImageFile, "load", load)
    with pytest.raises(ImageError, match=r"^damaged PNG \(two lines\)$"):
        open_image(encoded(quarters(), "PNG"))
