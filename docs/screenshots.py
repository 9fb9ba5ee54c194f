"""Make the pictures of docs/pictures.md: `.venv/bin/python docs/screenshots.py`.

All but the chart of scaling, which is measured for hours. The photos are those of
sample_images/, and crops, mirrored and darkened copies of them, in folders of their labels:
with such copies a model makes some mistakes to look at. Only the figures of the page of 900
classes are drawn by lot, the same each time.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import heatmap_methods
from PIL import Image, ImageEnhance, ImageOps
from selenium import webdriver

from imgcls.core.models.labels import imagenet_labels
from imgcls.core.tasks.labelled.figures import ScoredImage, summarize

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "images"
LABELS = {
    "cat": "Egyptian_cat",
    "coffee": "espresso",
    "flower": "daisy",
    "palace": "palace",
    "rocket": "missile",
}
SWITCHES = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def variants(image: Image.Image) -> Iterator[Image.Image]:
    """Yield an image, and what a camera might have made of the same thing."""
    width, height = image.size
    yield image
    yield ImageOps.mirror(image)
    for left, top in ((0, 0), (0.35, 0), (0, 0.3), (0.3, 0.25)):
        box = (left * width, top * height, (left + 0.65) * width, (top + 0.7) * height)
        yield image.crop(tuple(map(round, box)))
    yield ImageEnhance.Brightness(image).enhance(0.45)
    yield image.rotate(12, Image.Resampling.BICUBIC).crop(
        (width // 8, height // 8, width * 7 // 8, height * 7 // 8)
    )


def make_photos(folder: Path) -> None:
    for name, label in LABELS.items():
        (folder / label).mkdir(parents=True)
        with Image.open(ROOT / "sample_images" / f"{name}.jpg") as image:
            for number, variant in enumerate(variants(image.convert("RGB")), start=1):
                variant.save(folder / label / f"{name}-{number}.jpg", quality=90)


def make_details(folder: Path, count: int = 15) -> None:
    """Cut small pieces out of two photos: with few of them it is hard to say of which."""
    lot = random.Random(1)
    for name in ("palace", "rocket"):
        (folder / LABELS[name]).mkdir(parents=True)
        with Image.open(ROOT / "sample_images" / f"{name}.jpg") as image:
            width, height = image.size
            for number in range(1, count + 1):
                share = lot.uniform(0.08, 0.3)
                left, top = (lot.uniform(0, 1 - share) for _ in range(2))
                box = (left * width, top * height, (left + share) * width, (top + share) * height)
                piece = image.convert("RGB").crop(tuple(map(round, box)))
                piece.save(folder / LABELS[name] / f"{name}-{number}.jpg")


def drawn_by_lot(classes: int, each: int = 10) -> Iterator[ScoredImage]:
    """Yield what a model might have made of so many classes: neighbours are taken for another."""
    lot = random.Random(1)
    for actual in range(classes):
        for number in range(each):
            step = 0 if lot.random() < 0.75 else lot.choice([-2, -1, 1, 2, lot.randint(-60, 60)])
            predicted = min(max(actual + step, 0), classes - 1)
            is_right = predicted == actual
            score = lot.betavariate(5, 1.5) if is_right else lot.betavariate(2, 3)
            of_actual = score if is_right else score / 3
            rank = 1 if is_right else lot.randint(2, 9)
            yield ScoredImage(
                f"photos/{actual}/{number}.jpg", actual, predicted, score, of_actual, rank
            )


def imgcls(*arguments: str, cwd: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "imgcls", "-q", *arguments], cwd=cwd, stdout=2)
    assert done.returncode in (0, 3), arguments  # 3: one photo is broken on purpose


def pictures(page: Path, name: str, height: int) -> None:
    """Save how a page looks on a screen by day, and on a phone by night."""
    screen = {"width": 1200, "height": height, "deviceScaleFactor": 1, "mobile": False}
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1.5, "mobile": True}
    picture(page, PICTURES / f"{name}.png", screen, "light")
    picture(page, PICTURES / f"{name}-phone.png", phone, "dark")


def picture(page: Path, target: Path, size: dict[str, Any], scheme: str) -> None:
    """Save a page's picture, with the colours of a palette."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for switch in (*SWITCHES, f"--user-data-dir={page.parent / page.stem}"):
        options.add_argument(switch)
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.get(page.as_uri())
    driver.save_screenshot(str(target))
    driver.quit()
    shrink(target)


def shrink(picture: Path) -> None:
    """Save a picture with the colours of a palette."""
    with Image.open(picture) as shot:
        small = shot.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(picture, optimize=True)


def few_classes(folder: Path) -> None:
    """Train on eight whole photos of two classes, and look how their details fare."""
    for label, names in (("palace", "palace"), ("missile", "rocket")):
        (folder / "few" / label).mkdir(parents=True)
        for number in range(1, 5):
            name = f"{names}-{number}.jpg"
            (folder / "few" / label / name).write_bytes(
                (folder / "photos" / label / name).read_bytes()
            )
    make_details(folder / "details")
    imgcls("finetune", "few", "-o", "two.safetensors", cwd=folder)
    imgcls("evaluate", "details", "-m", "two.safetensors", "--report", "two.html", cwd=folder)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    coffee = str(ROOT / "sample_images" / "coffee.jpg")
    panel = ("--panel", "-o", str(PICTURES / "panel.jpg"))
    imgcls("heatmap", coffee, *panel, cwd=ROOT)
    imgcls("heatmap", coffee, "-o", str(PICTURES / "heatmap.jpg"), cwd=ROOT)
    heatmap_methods.main(coffee, str(PICTURES / "heatmap_methods.jpg"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sheet = str(folder / "activations.jpg")
        imgcls("activations", coffee, "--first", "8", "-o", sheet, cwd=ROOT)
        with Image.open(sheet) as drawn:
            drawn.reduce(2).save(PICTURES / "activations.jpg", quality=80)
        make_photos(folder / "photos")
        photo = folder / "photos" / "palace" / "palace-1.jpg"
        imgcls("predict", str(photo), "--draw", str(folder / "drawn"), cwd=folder)
        with Image.open(folder / "drawn" / "palace-1.predicted.jpg") as drawn:
            drawn.save(PICTURES / "drawn.jpg", quality=85)  # without the hash of its path
        broken = (ROOT / "sample_images" / "cat.jpg").read_bytes()[:3000]
        (folder / "photos" / "Egyptian_cat" / "cat-9.jpg").write_bytes(broken)
        few = [f"{LABELS[name]}/{name}-1.jpg" for name in LABELS]
        more = [
            "Egyptian_cat/cat-9.jpg",
            "espresso/coffee-3.jpg",
            "missile/rocket-7.jpg",
            "daisy/flower-2.jpg",
        ]
        imgcls(
            *("predict", *few, *more, "--min-confidence", "0.25", "-o", str(folder / "p.html")),
            cwd=folder / "photos",
        )
        imgcls("evaluate", "photos", "--report", str(folder / "e.html"), cwd=folder)
        pictures(folder / "p.html", "predict-page", 1010)
        pictures(folder / "e.html", "evaluate-page", 1700)
        imgcls("audit", "photos", "--report", str(folder / "a.html"), cwd=folder)
        pictures(folder / "a.html", "audit-page", 1080)
        few_classes(folder)
        pictures(folder / "two.html", "evaluate-two", 1400)
        many = summarize(drawn_by_lot(900), imagenet_labels()[:900], "efficientnet-lite0")
        many.save(folder / "many.html")
        pictures(folder / "many.html", "evaluate-900", 1380)
        imgcls("finetune", "photos", "-o", "m.safetensors", "--skip-bad", cwd=folder)
        (folder / "m.history.png").replace(PICTURES / "history.png")
    shrink(PICTURES / "history.png")


if __name__ == "__main__":
    main()
