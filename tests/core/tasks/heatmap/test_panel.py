from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from imgcls.core import fonts
from imgcls.core.pixels.preprocessing import Box
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.drawing import draw_overlay
from imgcls.core.tasks.heatmap.explanation import Explanation
from imgcls.core.tasks.heatmap.options import DrawOptions
from imgcls.core.tasks.heatmap.panel import draw, draw_panel

CAT = Prediction(1, "n02123159", "tiger_cat", 0.38467)


def explanation(cam: Any = 1, label: str = "tiger_cat", side: int = 100) -> Explanation:
    """Explain a grey image, twice as wide as high, of which the middle square was seen."""
    image = np.full((side, 2 * side, 3), 100, np.uint8)
    return Explanation(
        path="cat.jpg",
        model="efficientnet-lite0",
        method="gradcam",
        layer="top_activation",
        prediction=replace(CAT, label=label),
        class_index=282,
        versus=None,
        image=image,
        cam=np.broadcast_to(np.float32(cam), image.shape[:2]),
        seen=Box(side / 2, 0, 3 * side / 2, side),
    )


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is written on the panels that a test draws."""
    from PIL import ImageDraw

    texts: list[str] = []
    text = ImageDraw.ImageDraw.text

    def note(self: Any, xy: Any, words: str, *args: Any, **options: Any) -> None:
        texts.append(words)
        text(self, xy, words, *args, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", note)
    return texts


@pytest.mark.parametrize(
    ("side", "dpi", "panel", "column", "margin", "top"),
    [
        (10, None, 1080, 346, 10, 72),
        (240, None, 1440, 462, 13, 95),
        (1000, None, 1920, 617, 17, 126),
        (100, 300, 2100, 674, 19, 138),
    ],
)
def test_a_panel_is_for_the_screen_or_for_print(
    side: int, dpi: int | None, panel: int, column: int, margin: int, top: int
) -> None:
    drawn = draw_panel(explanation(side=side), dpi=dpi)
    assert drawn.width == panel and 0 <= panel - 3 * column - 4 * margin < 3
    assert drawn.info == ({} if dpi is None else {"dpi": (dpi, dpi)})
    pixels = np.asarray(drawn).astype(int)
    across = [margin + k * (column + margin) for k in range(3)]
    height = column // 2
    centres = [pixels[top + height // 2, left + column // 2].tolist() for left in across]
    # Jet's strongest colour, and 70% of it over the grey of the image.
    np.testing.assert_allclose(centres, [[100] * 3, [127, 0, 0], [119, 30, 30]], atol=1)
    edges = [pixels[top + height // 2, left + 3].tolist() for left in across]
    np.testing.assert_array_equal(edges, [[100] * 3, [235] * 3, [100] * 3])
    assert (pixels[: top - 2] < 100).any(axis=-1).sum() > 200  # dark text on white


def test_a_frame_is_around_what_the_model_saw(written: list[str]) -> None:
    pixels = np.asarray(draw_panel(explanation(side=270), alpha=0)).astype(int)
    # 1620 wide: columns of 520 from 15, 550 and 1085; the middle square is half of each.
    row = pixels[106 + 130]
    for left in (15, 1085):
        assert row[left + 129 : left + 132].tolist() == [[23, 28, 38], [255] * 3, [100] * 3]
        assert row[left + 388 : left + 391].tolist() == [[100] * 3, [255] * 3, [23, 28, 38]]
    np.testing.assert_allclose(row[550 + 129], 235, atol=1)  # none around the heatmap
    assert "The frame is what the model saw." in written


def test_without_a_frame_nothing_speaks_of_it(written: list[str]) -> None:
    asked = replace(explanation(side=270), seen=Box(0, 0, 540, 270))
    pixels = np.asarray(draw_panel(asked, alpha=0)).astype(int)
    assert (pixels[106 : 106 + 260, 15 : 15 + 520] == 100).all()
    assert not any("frame" in text for text in written)


def test_the_scale_runs_from_none_to_most(written: list[str]) -> None:
    pixels = np.asarray(draw_panel(explanation())).astype(int)
    assert written[-3:] == ["none", "most", "The colour is as strong as the evidence."]
    line = pixels[72 + 173 + 15, 366 + 45 : 366 + 346 - 45]
    np.testing.assert_allclose(line[[0, -1]], [[0, 0, 127], [127, 0, 0]], atol=4)


def test_an_even_blend_is_not_said_to_be_as_strong_as_the_evidence(written: list[str]) -> None:
    draw_panel(explanation(), alpha=0.4)
    assert written[-1] == "most"


def test_the_title_names_class_method_and_layer(written: list[str]) -> None:
    draw_panel(replace(explanation(), versus=Prediction(2, "n1", "tabby", 0.25)))
    assert written[:2] == [
        "tiger_cat  38.47%  against  tabby  25.00%",
        "efficientnet-lite0, Grad-CAM, top_activation",
    ]


def test_a_method_that_knows_no_class_has_none_in_its_title(written: list[str]) -> None:
    draw_panel(replace(explanation(), method="eigencam"))
    assert written[:2] == [
        "Eigen-CAM: the same for every class",
        "efficientnet-lite0, top_activation",
    ]


def test_a_method_that_looks_at_pixels_names_no_layer(written: list[str]) -> None:
    draw_panel(replace(explanation(), method="occlusion", layer="input"))
    assert written[1] == "efficientnet-lite0, Occlusion"


def test_no_evidence_is_said_and_drawn_as_no_colour(written: list[str]) -> None:
    panel = np.asarray(draw_panel(explanation(0))).astype(int)
    assert np.ptp(panel[72 : 72 + 173], axis=-1)[:, 100:].max() <= 15  # the frame's dark line
    assert written[1].endswith(": no evidence") and "most" not in written


@pytest.mark.parametrize(("panel", "size"), [(False, (200, 100)), (True, (2100, 552))])
def test_options_say_what_is_drawn(panel: bool, size: tuple[int, int]) -> None:
    options = DrawOptions(0.3, "viridis", panel, dpi=300 if panel else None)
    drawn = draw(explanation(), options)
    assert drawn.size == size
    if not panel:
        same = draw_overlay(explanation(), alpha=0.3, colormap="viridis")
        np.testing.assert_array_equal(np.asarray(drawn), np.asarray(same))


@pytest.mark.parametrize(("height", "width"), [(2000, 3), (3, 2000), (1, 1)])
def test_images_of_odd_shapes_have_a_panel(height: int, width: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    cam = np.ones((height, width), np.float32)
    side = min(height, width)
    seen = Box((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    panel = draw_panel(replace(explanation(), image=image, cam=cam, seen=seen))
    assert 1080 <= panel.width <= 1920 and panel.height < 1200


def test_a_long_label_is_not_cut_off() -> None:
    panel = np.asarray(draw_panel(explanation(label="W" * 120)))
    dark = (panel < 128).all(axis=-1)[:40]
    columns = np.flatnonzero(dark.any(axis=0))
    assert columns.max() < panel.shape[1] - 4


def test_labels_of_other_scripts_are_drawn_each_in_its_own_way() -> None:
    pictures = [np.asarray(draw_panel(explanation(label=text))) for text in ("圆盘", "条纹", "кот")]
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_without_a_font_the_class_number_comes_first_and_a_note_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fonts, "_system_fonts", tuple)
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    fonts._font_with.cache_clear()
    fonts.note_missing_font.cache_clear()
    drawn = np.asarray(draw_panel(explanation(label="圆盘")))
    expected = np.asarray(draw_panel(explanation(label="282: \\u5706\\u76d8")))
    fonts._font_with.cache_clear()
    np.testing.assert_array_equal(drawn, expected)
    assert "no font on this machine can write 圆盘" in caplog.text and "fonts-noto" in caplog.text
