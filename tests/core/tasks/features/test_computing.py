"""Features come once from the engine, then from the cache that finetune shares."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from imgcls.core.engines.model import Model, load_model
from imgcls.core.errors import ImageError, UsageError
from imgcls.core.files import sha256
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.features.computing import Computed, Wanted, compute_features
from imgcls.core.tasks.training.features import cached_features


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))


def compute(model: Model, *paths: Path) -> list[Computed]:
    wanted = [Wanted(Source(str(path))) for path in paths]
    return list(compute_features(model, model.preprocessing, wanted))


def test_the_second_time_they_come_from_the_cache(model: Model, samples: Path) -> None:
    photos = sorted(samples.glob("*.jpg")) * 5  # more than one call of the engine
    first, second = compute(model, *photos), compute(model, *photos)
    assert [one.is_new for one in first[:5]] == [True] * 5
    assert not any(one.is_new for one in second)
    for one, again, photo in zip(first, second, photos, strict=True):
        assert one.source.name == str(photo)
        np.testing.assert_array_equal(one.features, again.features)
    learned = cached_features(model, [one.source for one in first], [one.digest for one in first])
    np.testing.assert_array_equal(learned, [one.features for one in first])


def test_a_known_digest_in_the_cache_spares_the_reading(
    model: Model, samples: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "cat.jpg"
    shutil.copy(samples / "cat.jpg", photo)
    (first,) = compute(model, photo)
    wanted = Wanted(Source(str(photo)), sha256(photo))
    photo.unlink()
    (again,) = compute_features(model, model.preprocessing, [wanted])
    np.testing.assert_array_equal(again.features, first.features)


def test_content_that_changed_is_not_kept_under_its_old_digest(
    model: Model, samples: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    shutil.copy(samples / "cat.jpg", photo)
    wanted = Wanted(Source(str(photo)), sha256(photo))
    shutil.copy(samples / "rocket.jpg", photo)
    (changed,) = compute_features(model, model.preprocessing, [wanted])
    assert changed.digest == sha256(photo)
    (cat, rocket) = compute(model, samples / "cat.jpg", samples / "rocket.jpg")
    assert (cat.is_new, rocket.is_new) == (True, False)
    np.testing.assert_array_equal(changed.features, rocket.features)


def test_a_bad_image_takes_no_neighbour_along(model: Model, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    cat, bad, gone, rocket = compute(
        model,
        samples / "cat.jpg",
        tmp_path / "bad.jpg",
        tmp_path / "gone.jpg",
        samples / "rocket.jpg",
    )
    assert isinstance(bad.features, ImageError)
    assert str(gone.features) == "no such file"
    (alone,) = compute(model, samples / "rocket.jpg")
    np.testing.assert_array_equal(rocket.features, alone.features)
    assert not np.array_equal(np.asarray(cat.features), np.asarray(rocket.features))


def test_int8_is_refused(model: Model, samples: Path) -> None:
    quantised = dataclasses.replace(model, precision="int8")
    with pytest.raises(UsageError, match="features are float32"):
        compute(quantised, samples / "cat.jpg")
