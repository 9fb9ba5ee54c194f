"""Draw every heatmap method on one photo, as in docs/heatmaps.md.

python docs/heatmap_methods.py sample_images/coffee.jpg docs/images/heatmap_methods.jpg
"""

from __future__ import annotations

import sys

from PIL import Image, ImageDraw, ImageFont

import imgcls
from imgcls.core.tasks.heatmap.methods import CAM_METHODS

WIDTH, COLUMNS, CAPTION = 300, 4, 26


def main(photo: str, out: str) -> None:
    model = imgcls.load_model()
    tiles = []
    for name in CAM_METHODS:
        (explanation,) = imgcls.explain(photo, model, method=name)
        if isinstance(explanation, imgcls.Unexplained):
            raise SystemExit(f"{photo}: {explanation.error}")
        picture = explanation.overlay(alpha="evidence")
        tiles.append((name, picture.resize((WIDTH, WIDTH * picture.height // picture.width))))
    height = tiles[0][1].height + CAPTION
    sheet = Image.new("RGB", (COLUMNS * WIDTH, -(-len(tiles) // COLUMNS) * height), "white")
    draw = ImageDraw.Draw(sheet)
    for position, (name, picture) in enumerate(tiles):
        left, top = position % COLUMNS * WIDTH, position // COLUMNS * height
        draw.text((left + 4, top + 4), name, "black", ImageFont.load_default(17))
        sheet.paste(picture, (left, top + CAPTION))
    sheet.save(out, quality=85)


if __name__ == "__main__":
    main(*sys.argv[1:])
