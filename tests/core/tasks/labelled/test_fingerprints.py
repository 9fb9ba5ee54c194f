from __future__ import annotations

import hashlib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.labelled.fingerprints import (
    NEAR_BITS,
    Fingerprint,
    _quantile,
    fingerprints,
    same_pictures,
)


def fingerprints_of(*pictures: int) -> list[Fingerprint]:
    return [Fingerprint(str(i), picture, 9, 9, "") for i, picture in enumerate(pictures)]


def test_facts(samples: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    sources = [Source(str(samples / "cat.jpg")), Source(str(broken)), Source("none.jpg")]
    for _ in range(2):  # computed, then remembered
        cat, bad, missing = fingerprints(sources)
        assert cat.digest == hashlib.sha256((samples / "cat.jpg").read_bytes()).hexdigest()
        with Image.open(samples / "cat.jpg") as image:
            assert (cat.width, cat.height) == image.size
        assert (cat.error, missing.error) == ("", "no such file")
        assert bad.error.startswith("not an image")


def test_copies_that_were_resized_or_saved_again_are_near(samples: Path, tmp_path: Path) -> None:
    paths = []
    for original in sorted(samples.glob("*.jpg")):
        with Image.open(original) as image:
            paths += [tmp_path / f"{original.stem}-{kind}" for kind in ("a.jpg", "b.png", "c.jpg")]
            image.save(paths[-3], quality=60)
            image.resize((image.width // 2, image.height // 2)).save(paths[-2])
            image.convert("RGB").point(lambda value: min(255, value + 12)).save(paths[-1])
    groups = same_pictures(list(fingerprints(Source(str(path)) for path in paths)))
    assert groups == [[i, i + 1, i + 2] for i in range(0, len(paths), 3)]


def test_what_is_dark_and_light_in_a_picture(samples: Path) -> None:
    (cat,) = fingerprints([Source(str(samples / "cat.jpg"))])
    with Image.open(samples / "cat.jpg") as image:  # 451×300
        image.draft("L", (225, 150))
        grey = image.convert("L")
    assert [cat.darkest, cat.lightest] == np.quantile(np.asarray(grey), [0.05, 0.95]).tolist()
    assert cat.contrast == pytest.approx(np.asarray(grey, np.float64).std(), rel=1e-5)


def test_sharpness_is_the_deviation_of_the_laplacian(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    with Image.open(samples / "cat.jpg") as image:
        image.convert("L").crop((100, 50, 300, 150)).save(path)
    (found,) = fingerprints([Source(str(path))])
    grey = np.asarray(Image.open(path), np.float64)
    middle = grey[1:-1, 1:-1]
    beside = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    assert found.sharpness == pytest.approx((4 * middle - beside).std() / grey.std(), rel=1e-4)


def test_a_jpeg_looks_like_the_same_pixels_in_a_png(samples: Path, tmp_path: Path) -> None:
    # One is made smaller as it is decoded, the other afterwards.
    for path in sorted(samples.glob("*.jpg")):
        with Image.open(path) as image:
            image.save(tmp_path / "same.png")
        jpeg, png = fingerprints([Source(str(path)), Source(str(tmp_path / "same.png"))])
        assert (jpeg.picture ^ png.picture).bit_count() <= 2
        assert jpeg.sharpness == pytest.approx(png.sharpness, rel=0.15)
        assert jpeg.contrast == pytest.approx(png.contrast, rel=0.03)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("size", [1, 2, 99, 1000])
def test_quantiles_are_those_of_numpy(share: float, size: int) -> None:
    values = np.random.default_rng(size).integers(0, 256, size)
    counts = np.bincount(values, minlength=256)
    assert _quantile(counts, share) == pytest.approx(np.quantile(values, share), abs=1e-9)


def test_groups() -> None:
    near = (1 << NEAR_BITS) - 1
    far = (1 << 2 * (NEAR_BITS + 1)) - 1
    images = [*fingerprints_of(0, far << 20, near, 0), Fingerprint("", 0, 0, 0, "damaged")]
    assert same_pictures(images) == [[0, 2, 3]]


def test_groups_are_those_of_all_pairs() -> None:
    random = np.random.default_rng(0)
    pictures = [int(p) for p in random.integers(0, 2**62, 60)]
    for picture in pictures[:30]:
        flips = random.choice(64, int(random.integers(1, 10)), replace=False)
        pictures.append(picture ^ sum(1 << int(bit) for bit in flips))
    expected = {
        (i, j)
        for (i, one), (j, other) in combinations(enumerate(pictures), 2)
        if (one ^ other).bit_count() <= NEAR_BITS
    }
    found = {
        pair
        for group in same_pictures(fingerprints_of(*pictures))
        for pair in combinations(group, 2)
    }
    assert found == expected
    assert 10 < len(found) < 30
