"""How often the default model is right on photos with known answers."""

from __future__ import annotations

from pathlib import Path

from imgcls import classify


def test_imagenet_sample(imagenet_sample: Path) -> None:
    top1 = top5 = images = 0
    for record in classify(imagenet_sample):
        wnid = Path(record.path).name.partition("_")[0]
        best = [prediction.class_id for prediction in record.predictions]
        images += 1
        top1 += best[0] == wnid
        top5 += wnid in best
    assert images == 100
    assert top1 / images >= 0.88
    assert top5 / images >= 0.96


def labels(folder: Path) -> dict[str, str]:
    return {Path(r.path).stem: r.predictions[0].label for r in classify(folder, top=1)}


def test_photos(photos: Path) -> None:
    found = labels(photos)
    assert sorted(found.values()) == [
        *("goldfish", "minivan", "moped", "pizza", "racer", "television", "walking_stick"),
    ]


def test_sample_images(samples: Path) -> None:
    assert labels(samples) == {
        "cat": "tiger_cat",
        "coffee": "espresso",
        "flower": "daisy",
        "palace": "palace",
        "rocket": "missile",
    }
