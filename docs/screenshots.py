"""Take the README's pictures of the HTML pages: `.venv/bin/python docs/screenshots.py`.

The photos are those of sample_images/, and crops, mirrored and darkened copies of them, in
folders of their labels: with such copies a model makes some mistakes to look at.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

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


def picture(page: Path, target: Path, height: int) -> None:
    """Save a page's picture, 1200 pixels wide, with the colours of a palette."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for switch in (*SWITCHES, f"--user-data-dir={page.parent / page.stem}"):
        options.add_argument(switch)
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    size = {"width": 1200, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(page.as_uri())
    driver.save_screenshot(str(target))
    driver.quit()
    with Image.open(target) as shot:
        small = shot.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(target, optimize=True)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
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
        picture(folder / "p.html", PICTURES / "predict-page.png", 1010)
        picture(folder / "e.html", PICTURES / "evaluate-page.png", 1700)


main()
