"""Features to learn from: in the order of the images, and an image that changed says so."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.core.engines.model import Model
from imgcls.core.errors import ImageError, UsageError
from imgcls.core.files import sha256
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.features.computing import Wanted, compute_features
from imgcls.core.tasks.training.features import cached_features, features_ahead, read_again
from tests.core.engines.test_described import POOLED, head, opened, write

EIGHT = Preprocessing(8, 8, "none", resize="squash")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return a small network of images of 16 × 16."""
    path = write(tmp_path_factory.mktemp("model") / "m.safetensors", POOLED, head(5))
    return opened(path, "keras")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return four pictures of noise, and give the test a cache of its own."""
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(paths):
        pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    return paths


def features(model: Model, paths: list[Path]) -> np.ndarray:
    sources = [Source(str(path)) for path in paths]
    return cached_features(model, sources, [sha256(path) for path in paths])


def test_rows_come_in_the_order_of_the_images(model: Model, photos: list[Path]) -> None:
    rows = features(model, photos)
    pixels = np.stack([np.asarray(Image.open(path), np.float32) for path in photos])
    (expected,) = model.engine.run(pixels, ("features",))
    assert (rows.shape, rows.dtype) == ((4, 5), np.float32)
    np.testing.assert_allclose(rows, expected, atol=1e-4)
    turned = features(model, photos[::-1])  # partly from the cache or not, the same
    np.testing.assert_array_equal(turned, rows[::-1])
    np.testing.assert_array_equal(features(model, [photos[2], photos[2]]), rows[[2, 2]])


def test_an_image_that_changed_ends_training_in_words(model: Model, photos: list[Path]) -> None:
    digests = [sha256(path) for path in photos]
    photos[1].write_bytes(b"\x89PNG")
    with pytest.raises(ImageError) as raised:
        cached_features(model, [Source(str(path)) for path in photos], digests)
    assert str(raised.value).startswith(f"{photos[1]}: changed since training began: ")
    photos[1].unlink()
    with pytest.raises(ImageError) as raised:
        read_again(Source(str(photos[1])), EIGHT)
    assert str(raised.value) == f"{photos[1]}: changed since training began: no such file"


def test_an_image_that_is_gone_but_known_is_learned_all_the_same(
    model: Model, photos: list[Path]
) -> None:
    digests = [sha256(path) for path in photos]
    rows = features(model, photos)
    shutil.move(photos[0], photos[0].with_name("moved.png"))
    again = cached_features(model, [Source(str(path)) for path in photos], digests)
    np.testing.assert_array_equal(again, rows)


def test_an_image_is_read_again_as_it_enters_the_network(photos: list[Path]) -> None:
    Image.new("RGB", (32, 16), (9, 8, 7)).save(photos[0])
    pixels = read_again(Source(str(photos[0])), EIGHT)
    assert (pixels.shape, pixels.dtype) == ((8, 8, 3), np.uint8)
    assert (pixels == (9, 8, 7)).all()


def known(model: Model, paths: list[Path]) -> list[bool]:
    """Return of each photo whether its features are in the cache."""
    wanted = [Wanted(Source(str(path))) for path in paths]
    return [not one.is_new for one in compute_features(model, model.preprocessing, wanted)]


def test_features_computed_ahead_are_in_the_cache(model: Model, photos: list[Path]) -> None:
    asked = threading.Event()

    def sources() -> Iterator[Source]:
        yield from (Source(str(path)) for path in photos[:3])
        asked.set()

    with features_ahead(model, sources()):
        assert asked.wait(30)
    assert known(model, photos) == [True, True, True, False]


def test_what_is_not_begun_ahead_is_left(model: Model, photos: list[Path]) -> None:
    before, begun = set(threading.enumerate()), threading.Event()

    def sources() -> Iterator[Source]:
        for path in itertools.cycle(photos):  # without an end of its own
            yield Source(str(path))
            begun.set()

    with features_ahead(model, sources()):
        assert begun.wait(30)
    for thread in set(threading.enumerate()) - before:  # of the pool
        thread.join(30)
        assert not thread.is_alive()
    assert known(model, photos)[0]


def test_what_fails_ahead_is_met_when_it_is_needed(model: Model, photos: list[Path]) -> None:
    refused = replace(model, precision="int8")
    with features_ahead(refused, [Source(str(photos[0]))]):
        pass
    with pytest.raises(UsageError, match="features are float32"):
        features(refused, photos)
