"""The classifier on features: logits by hand, and the same head on standardized features."""

from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.errors import ModelError
from imgcls.core.models.head import Head, Standardization


def array(*values: object) -> np.ndarray:
    return np.array(values, np.float32)


HIDDEN = array([2, 1], [5, 0]), array(0, -3)
LAST = array([3, -1], [100, 10]), array(1, 0)
FEATURES = array([1, 1], [5, 0])


def test_logits_by_hand() -> None:
    # (7, -2) and (10, 2) before ReLU, which silences the -2
    logits = Head((HIDDEN, LAST)).logits(FEATURES)
    np.testing.assert_array_equal(logits, [[22, -7], [231, 10]])
    np.testing.assert_array_equal(Head((HIDDEN,)).logits(FEATURES), [[7, -2], [10, 2]])


def test_a_temperature_divides_the_logits() -> None:
    np.testing.assert_allclose(
        Head((HIDDEN, LAST)).tempered(4).logits(FEATURES), [[5.5, -1.75], [57.75, 2.5]]
    )


def test_widths() -> None:
    head = Head(((np.ones((5, 4)), np.ones(4)), (np.ones((4, 3)), np.ones(3))))
    assert head.widths == (5, 4, 3)


def test_features_of_another_network_are_refused() -> None:
    with pytest.raises(ModelError) as caught:
        Head((HIDDEN,)).logits(np.ones((1, 3), np.float32))
    assert str(caught.value) == (
        "the head takes 2 features, the network gives 3; the model file is not for this network"
    )


def test_standardization_by_hand() -> None:
    standardization = Standardization.of(array([1, 10], [3, 30]))
    np.testing.assert_array_equal(standardization.mean, [2, 20])
    np.testing.assert_array_equal(standardization.deviation, [1, 10])
    np.testing.assert_array_equal(standardization.apply(array([4, 0])), [[2, -2]])
    assert standardization.apply(FEATURES).dtype == np.float32


def test_features_that_hardly_vary_are_not_blown_up() -> None:
    # Deviations 0 and 4: the mean is 2, a hundredth of it 0.02.
    deviation = Standardization.of(array([7, 0], [7, 8])).deviation
    np.testing.assert_allclose(deviation, [0.02, 4], rtol=1e-6)
    np.testing.assert_array_equal(Standardization.of(array([7, 5], [7, 5])).deviation, [1, 1])
    np.testing.assert_array_equal(Standardization.none(2).apply(FEATURES), FEATURES)


@pytest.mark.parametrize("layers", [(HIDDEN,), (HIDDEN, LAST)])
def test_a_head_on_standardized_features_and_back(
    layers: tuple[tuple[np.ndarray, np.ndarray], ...],
) -> None:
    standardization = Standardization(array(2, -1), array(4, 0.5))
    head = Head(layers)
    inner = Head(head.standardized(standardization))
    np.testing.assert_array_equal(inner.layers[0][0], [[8, 4], [2.5, 0]])
    np.testing.assert_array_equal(
        inner.logits(standardization.apply(FEATURES)), head.logits(FEATURES)
    )
    back = Head.of_standardized(inner.layers, standardization)
    for (kernel, bias), (wanted_kernel, wanted_bias) in zip(back.layers, layers, strict=True):
        np.testing.assert_array_equal(kernel, wanted_kernel)
        np.testing.assert_array_equal(bias, wanted_bias)
        assert kernel.dtype == bias.dtype == np.float32
