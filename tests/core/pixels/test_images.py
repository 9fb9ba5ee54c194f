"""Pixels as they come in: every expectation is an exact value, or a bound where JPEG is lossy."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from imgcls.core.errors import ImageError
from imgcls.core.pixels.images import FORMATS, MAX_PIXELS, load_batch, open_image, read_image
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.pixels.sources import Source

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
    image = Image.fromarray(np.full((1, 2), 2570, np.uint16))
    assert pixels(encoded(image, "PNG")).tolist() == [[[10] * 3, [10] * 3]]


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


def test_read_image_is_at_full_size(tmp_path: Path, large_jpeg: bytes) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(large_jpeg)
    image = read_image(Source(str(path)))
    assert image.shape == (2400, 3200, 3)
    assert image.dtype == np.uint8


def test_load_batch(samples: Path) -> None:
    preprocessing = Preprocessing(224, 256, "lite", "bicubic")
    sources = [Source(str(samples / name)) for name in ("coffee.jpg", "cat.jpg")]
    batch = load_batch(sources, preprocessing)
    assert batch.shape == (2, 224, 224, 3)
    assert batch.dtype == np.float32
    with Image.open(samples / "cat.jpg") as cat:
        expected = (preprocessing.fit(cat).astype(np.float32) - 127) / 128
    np.testing.assert_array_equal(batch[1], expected)


def test_load_batch_raises_for_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file"):
        load_batch([Source(str(tmp_path / "absent.jpg"))], Preprocessing(64, 64, "none"))
