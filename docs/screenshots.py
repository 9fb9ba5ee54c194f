"""Make the pictures of docs/pictures.md: `.venv/bin/python docs/screenshots.py`.

All but the chart of scaling, which is measured for hours. The photos are those of
sample_images/, and crops, mirrored and darkened copies of them, in folders of their labels:
with such copies a model makes some mistakes to look at.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import heatmap_methods
from PIL import Image, ImageEnhance, ImageOps
from selenium import webdriver

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


def imgcls(*arguments: str, cwd: Path) -> None:
    subprocess.run([sys.executable, "-m", "imgcls", "-q", *arguments], cwd=cwd, stdout=2)


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


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    coffee = str(ROOT / "sample_images" / "coffee.jpg")
    panel = ("--panel", "-o", str(PICTURES / "panel.jpg"))
    imgcls("heatmap", coffee, *panel, cwd=ROOT)
    heatmap_methods.main(coffee, str(PICTURES / "heatmap_methods.jpg"))
    sheet = PICTURES / "activations.jpg"
    imgcls("activations", coffee, "--first", "8", "-o", str(sheet), cwd=ROOT)
    with Image.open(sheet) as drawn:
        drawn.reduce(2).save(sheet, quality=80)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder / "photos")
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
        imgcls("finetune", "photos", "-o", "m.safetensors", "--skip-bad", cwd=folder)
        (folder / "m.history.png").replace(PICTURES / "history.png")
    shrink(PICTURES / "history.png")


main()
