"""Every method on a case small enough for paper: two channels of 2×2."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from imgcls.core.tasks.heatmap import methods as cam
from imgcls.core.tasks.heatmap.methods import CAM_METHODS, combine


def planes(*channels: Any) -> Any:
    return np.stack([np.array(channel, np.float32) for channel in channels], axis=-1)


A = planes([[1, 2], [3, 4]], [[4, 0], [0, 0]])
G = planes([[1, 2], [0, 1]], [[-1, 0], [0, 2]])

# weights (1, 0.25): (4/4, 1/4)
GRADCAM = [[0.5, 0.5], [0.75, 1]]  # [[2, 2], [3, 4]] / 4
# weights (1/12 + 2 · 4/88 + 1/12, 2 · 4/40) = (17/66, 1/5)
PLUS_PLUS = np.array([[17 / 66 + 4 / 5, 34 / 66], [51 / 66, 68 / 66]]) / (17 / 66 + 4 / 5)
# weights (9/10, -4/4): [[-3.1, 1.8], [2.7, 3.6]]
XGRADCAM = [[0, 0.5], [0.75, 1]]
# products [[1, 4], [0, 4]] and [[-4, 0], [0, 0]]
HIRESCAM = [[0, 1], [0, 1]]
LAYERCAM = [[0.25, 1], [0, 1]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gradcam", GRADCAM),
        ("gradcam++", PLUS_PLUS),
        ("xgradcam", XGRADCAM),
        ("hirescam", HIRESCAM),
        ("layercam", LAYERCAM),
    ],
)
def test_gradient_methods_on_paper(name: str, expected: Any) -> None:
    result = CAM_METHODS[name].function(A, G)
    np.testing.assert_allclose(combine(result, A), expected, rtol=1e-6)


def test_weights_of_gradcam_plus_plus_on_paper() -> None:
    np.testing.assert_allclose(cam.gradcam_plus_plus(A, G), [17 / 66, 1 / 5], rtol=1e-6)


@pytest.mark.parametrize("name", ["gradcam", "gradcam++", "xgradcam", "hirescam", "layercam"])
def test_no_activation_and_no_gradient_is_no_evidence(name: str) -> None:
    nothing = np.zeros((2, 2, 2), np.float32)
    result = combine(CAM_METHODS[name].function(nothing, nothing), nothing)
    np.testing.assert_array_equal(result, np.zeros((2, 2)))


def test_eigencam_projects_on_the_common_direction() -> None:
    activations = planes([[3, 0], [0, 6]], [[4, 0], [0, 8]])  # both places along (3, 4)
    np.testing.assert_allclose(cam.eigencam(activations), [0.6, 0.8], rtol=1e-5)
    np.testing.assert_allclose(
        combine(cam.eigencam(activations), activations), [[0.5, 0], [0, 1]], atol=1e-6
    )


def test_eigencam_counts_what_is_mostly_active_as_evidence() -> None:
    activations = planes([[-3, 0], [0, -6]], [[4, 0], [0, 8]])
    projected = (activations * cam.eigencam(activations)).sum(axis=-1)
    np.testing.assert_allclose(projected, [[5, 0], [0, 10]], atol=1e-5)


def test_activation_is_the_plain_mean() -> None:
    np.testing.assert_allclose(combine(cam.activation(A), A), [[1, 0.4], [0.6, 0.8]], rtol=1e-6)


def test_scorecam_masks_with_each_channel_and_weights_by_softmax() -> None:
    seen: list[Any] = []

    def masked_logits(masks: Iterable[Any]) -> Any:
        seen.extend(masks)
        return np.log(np.array([3, 1], np.float32))

    weights = cam.scorecam(A, masked_logits)
    np.testing.assert_allclose(seen, [[[0, 1 / 3], [2 / 3, 1]], [[1, 0], [0, 0]]], rtol=1e-6)
    np.testing.assert_allclose(weights, [0.75, 0.25], rtol=1e-6)


def test_scorecam_passes_over_flat_channels() -> None:
    flat = planes([[1, 2], [3, 4]], [[7, 7], [7, 7]])
    weights = cam.scorecam(flat, lambda masks: np.zeros(len(list(masks)), np.float32))
    np.testing.assert_array_equal(weights, [1, 0])


def test_scorecam_of_flat_activations_runs_nothing() -> None:
    weights = cam.scorecam(np.ones((2, 2, 2), np.float32), lambda masks: pytest.fail("it ran"))
    np.testing.assert_array_equal(weights, [0, 0])


def test_ablationcam_weights_by_the_part_of_the_logit_lost() -> None:
    weights = cam.ablationcam(10.0, lambda: np.array([4, 9], np.float32))
    np.testing.assert_allclose(weights, [0.6, 0.1], rtol=1e-6)
    # [[0.6 + 0.4, 1.2], [1.8, 2.4]]
    np.testing.assert_allclose(
        combine(weights, A), np.array([[1, 1.2], [1.8, 2.4]]) / 2.4, rtol=1e-6
    )


def test_ablationcam_of_a_negative_logit_keeps_the_sign_of_the_loss() -> None:
    weights = cam.ablationcam(-2.0, lambda: np.array([-3, -1], np.float32))
    np.testing.assert_allclose(weights, [0.5, -0.5])


def test_occlusion_finds_the_pixel_that_counts() -> None:
    def masked_logits(masks: Iterable[Any]) -> Any:
        return np.array([mask[0, 0] for mask in masks], np.float32)

    result = cam.occlusion(np.zeros((28, 28, 3), np.float32), 1.0, masked_logits)
    expected = np.zeros((14, 14))
    expected[:2, :2] = [[1, 0.5], [0.5, 0.25]]  # of four squares over a cell, those over the first
    np.testing.assert_allclose(result, expected)


def test_integrated_gradients_add_up_to_the_difference_of_the_logit() -> None:
    image = np.array([[1, 2], [3, 3]], np.float32)[..., np.newaxis] * np.ones(3, np.float32)
    # logit = Σ x² / 2, its gradient x
    result = cam.integrated_gradients(image, np.zeros(3, np.float32), lambda batch: batch)
    np.testing.assert_allclose(result, [[1.5, 6], [13.5, 13.5]], rtol=1e-5)
    np.testing.assert_allclose(result.sum(), (image**2).sum() / 2, rtol=1e-5)


def test_integrated_gradients_count_from_grey() -> None:
    image = np.full((2, 2, 3), 5, np.float32)
    grey = np.array([5, 5, 3], np.float32)
    result = cam.integrated_gradients(image, grey, np.ones_like)
    np.testing.assert_allclose(result, np.full((2, 2), 2))


def test_smoothgrad_of_a_linear_model_is_its_largest_weight() -> None:
    weights = np.array([[[1, -3, 2], [0, 0, 0]], [[3, 0, 0], [0, 1, 0]]], np.float32)
    result = cam.smoothgrad(np.ones((2, 2, 3), np.float32), lambda batch: weights[np.newaxis])
    np.testing.assert_allclose(result, [[3, 0], [3, 1]], rtol=1e-6)


def test_smoothgrad_averages_noisy_copies_the_same_way_each_time() -> None:
    image = np.linspace(0, 10, 300, dtype=np.float32).reshape(10, 10, 3)
    copies: list[Any] = []

    def input_gradients(batch: Any) -> Any:
        copies.append(batch[0])
        return batch

    once = cam.smoothgrad(image, input_gradients)
    noise = np.stack(copies) - image
    assert len(copies) == 32
    assert noise.std() == pytest.approx(1.5, rel=0.05)  # 15% of the range
    np.testing.assert_array_equal(once, cam.smoothgrad(image, input_gradients))


def test_single_outlying_pixels_are_capped() -> None:
    weights = np.ones((1, 20, 20, 3), np.float32)
    weights[0, 0, 0] = 1000
    result = cam.smoothgrad(np.ones((20, 20, 3), np.float32), lambda batch: weights)
    assert result.max() < 2


def test_combine_drops_what_speaks_against_and_scales_to_one() -> None:
    result = combine(np.array([[-5, 2], [0, 4]], np.float32), None)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, [[0, 0.5], [0, 1]])


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_no_evidence_is_zero_and_never_nan(value: float) -> None:
    result = combine(np.full((2, 2), value, np.float32), None)
    np.testing.assert_array_equal(result, np.zeros((2, 2)))


def test_every_method_of_the_contract_has_a_row_and_a_paper() -> None:
    assert list(CAM_METHODS) == [
        *("gradcam", "gradcam++", "xgradcam", "hirescam", "layercam", "eigencam", "scorecam"),
        *("ablationcam", "occlusion", "integrated-gradients", "smoothgrad", "activation"),
    ]
    for method in CAM_METHODS.values():
        assert re.fullmatch(
            r"https://(arxiv\.org/abs/\d{4}\.\d{4,5}|doi\.org/10\.\S+)", method.paper
        )


def test_rows_know_what_their_functions_need() -> None:
    assert CAM_METHODS["gradcam"].needs == ("activations", "gradients")
    assert not CAM_METHODS["occlusion"].reads_layer
    assert CAM_METHODS["ablationcam"].reads_layer
    unaware = [name for name, method in CAM_METHODS.items() if not method.knows_class]
    assert unaware == ["eigencam", "activation"]
