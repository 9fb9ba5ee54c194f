from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from imgcls.core.pixels.preprocessing import Box
from imgcls.core.tasks.classify.classify import Prediction
from imgcls.core.tasks.heatmap.drawing import draw_overlay, draw_panel, overlay
from imgcls.core.tasks.heatmap.explanation import Explanation


def explanation(cam: Any, label: str = "tiger_cat", side: int = 100) -> Explanation:
    image = np.full((side, 2 * side, 3), 100, np.uint8)
    return Explanation(
        path="cat.jpg",
        model="efficientnet-lite0",
        method="gradcam",
        layer="top_activation",
        prediction=Prediction(1, "n02123159", label, 0.38467),
        class_index=282,
        versus=None,
        image=image,
        cam=np.broadcast_to(np.float32(cam), image.shape[:2]),
        seen=Box(side / 2, 0, 3 * side / 2, side),
    )


def test_only_what_the_model_saw_is_coloured() -> None:
    image = np.full((4, 6, 3), 100, np.uint8)
    cam = np.zeros((4, 6), np.float32)
    cam[:, 1:5] = 1
    drawn = overlay(image, cam, Box(0.6, 0, 5.4, 4), alpha=0.4)
    np.testing.assert_array_equal(drawn[:, [0, 5]], image[:, [0, 5]])
    # 60 + 0.4 · (127, 0, 0)
    np.testing.assert_allclose(drawn[:, 1:5], np.broadcast_to([110.8, 60, 60], (4, 4, 3)), atol=1)


def test_the_image_is_not_written_to() -> None:
    image = np.full((2, 2, 3), 100, np.uint8)
    image.flags.writeable = False
    drawn = overlay(image, np.ones((2, 2), np.float32), Box(0, 0, 2, 2), alpha=1)
    np.testing.assert_array_equal(drawn, np.broadcast_to([127, 0, 0], (2, 2, 3)))
    assert (image == 100).all()


def test_no_evidence_is_drawn_as_no_colour() -> None:
    asked = explanation(0)
    np.testing.assert_array_equal(np.asarray(draw_overlay(asked)), asked.image)
    panel = np.asarray(draw_panel(asked)).astype(int)
    assert np.ptp(panel[-100:], axis=-1).max() == 0  # grey all over


def test_an_overlay_has_the_size_of_its_image() -> None:
    assert draw_overlay(explanation(1)).size == (200, 100)


@pytest.mark.parametrize(("side", "width", "height"), [(10, 320, 160), (1000, 640, 320)])
def test_a_panel_has_three_pictures_of_a_readable_size(side: int, width: int, height: int) -> None:
    panel = np.asarray(draw_panel(explanation(1, side=side))).astype(int)
    assert panel.shape[1] == 3 * width + 4 * 12
    pictures = [panel[-12 - height : -12, 12 + k * (width + 12) :][:, :width] for k in range(3)]
    middle = [picture[height // 2, width // 2].tolist() for picture in pictures]
    edge = [picture[height // 2, 2].tolist() for picture in pictures]
    assert middle == [[100, 100, 100], [127, 0, 0], [110, 60, 60]]
    assert edge == [[100, 100, 100], [235, 235, 235], [100, 100, 100]]
    caption = panel[: -12 - height]
    assert (caption < 100).any(axis=-1).sum() > 200  # black text on white


def test_a_long_label_is_not_cut_off() -> None:
    panel = np.asarray(draw_panel(explanation(1, label="W" * 120)))
    dark = (panel < 128).all(axis=-1)[:40]
    columns = np.flatnonzero(dark.any(axis=0))
    assert columns.max() < panel.shape[1] - 4


def test_labels_of_other_scripts_are_drawn_each_in_its_own_way() -> None:
    pictures = [
        np.asarray(draw_panel(explanation(1, label=text))) for text in ("圆盘", "条纹", "кот")
    ]
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_without_a_font_the_class_number_comes_first_and_a_note_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from imgcls.core import fonts

    monkeypatch.setattr(fonts, "_system_fonts", tuple)
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    fonts._font_with.cache_clear()
    fonts.note_missing_font.cache_clear()
    drawn = np.asarray(draw_panel(explanation(1, label="圆盘")))
    expected = np.asarray(draw_panel(explanation(1, label="282: \\u5706\\u76d8")))
    fonts._font_with.cache_clear()
    np.testing.assert_array_equal(drawn, expected)
    assert "no font on this machine can write 圆盘" in caplog.text and "fonts-noto" in caplog.text
