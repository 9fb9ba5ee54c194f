from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.arrays import softmax
from imgcls.core.models.head import Head, Standardization
from imgcls.core.tasks.training.head_learner import HeadLearner, _gradients, fresh_head

RANDOM = np.random.default_rng(0)
FEATURES = (RANDOM.normal(5, [1, 10, 100], (40, 3))).astype(np.float32)
COLUMNS = (FEATURES[:, 0] > 5).astype(np.int64)
ONES = np.ones(40, np.float32)


def learner(widths: tuple[int, ...] = (3, 2), dropout: float = 0.0) -> HeadLearner:
    standardization = Standardization.of(FEATURES)
    head = Head.of_standardized(fresh_head(widths, 0).layers, standardization)
    return HeadLearner(head, standardization, learning_rate=0.02, dropout=dropout, seed=7)


def test_standardization() -> None:
    features = np.array([[0, 1, 7], [2, 1, 7]], np.float32)
    found = Standardization.of(features)
    deviation = found.deviation
    np.testing.assert_allclose(found.mean, [1, 1, 7])
    np.testing.assert_allclose(deviation, [1, 1 / 300, 1 / 300])
    assert Standardization.of(features[:1]).deviation.tolist() == [1, 1, 1]


def test_standardized_and_back() -> None:
    head = fresh_head((3, 4, 2), 1)
    standardization = Standardization.of(FEATURES)
    layers = head.standardized(standardization)
    there = Head(layers).logits(standardization.apply(FEATURES))
    np.testing.assert_allclose(there, head.logits(FEATURES), atol=1e-4)
    back = Head.of_standardized(layers, standardization)
    np.testing.assert_allclose(back.logits(FEATURES), head.logits(FEATURES), atol=1e-4)


def test_first_linear_step_by_hand() -> None:
    one = HeadLearner(
        Head(((np.zeros((1, 2), np.float32), np.zeros(2, np.float32)),)),
        Standardization.none(1),
        learning_rate=0.1,
        dropout=0,
        seed=0,
    )
    logits = one.learn(np.array([[2.0]], np.float32), np.array([1]), np.ones(1, np.float32))
    assert logits.tolist() == [[0, 0]]
    ((kernel, bias),) = one.head().layers
    # The gradient's sign alone decides Adam's first step: the learning rate, towards class 1.
    np.testing.assert_allclose(kernel, [[-0.1, 0.1]], rtol=1e-5)
    np.testing.assert_allclose(bias, [-0.1, 0.1], rtol=1e-5)


def test_gradients_are_those_of_differences() -> None:
    layers = [
        (RANDOM.normal(size=(3, 4)), RANDOM.normal(size=4)),
        (RANDOM.normal(size=(4, 2)), RANDOM.normal(size=2)),
    ]
    x, columns = RANDOM.normal(size=(5, 3)), np.array([0, 1, 1, 0, 1])

    def loss() -> float:
        hidden = np.maximum(x @ layers[0][0] + layers[0][1], 0)
        scores = softmax(hidden @ layers[1][0] + layers[1][1])
        return float(-np.log(scores[range(5), columns]).mean())

    hidden = np.maximum(x @ layers[0][0] + layers[0][1], 0)
    error = softmax(hidden @ layers[1][0] + layers[1][1])
    error[range(5), columns] -= 1
    found = _gradients(layers, [x, hidden], [hidden > 0], error / 5)  # type: ignore[arg-type]
    for array, gradient in zip([a for layer in layers for a in layer], found, strict=True):
        for place in np.ndindex(array.shape):
            before = array[place]
            array[place] = before + 1e-6
            above = loss()
            array[place] = before - 1e-6
            below = loss()
            array[place] = before
            assert gradient[place] == pytest.approx((above - below) / 2e-6, abs=1e-6)


@pytest.mark.parametrize(("widths", "dropout"), [((3, 2), 0.0), ((3, 32, 2), 0.5)])
def test_it_learns_whatever_the_scale_of_a_feature(widths: tuple[int, ...], dropout: float) -> None:
    one = learner(widths, dropout)
    for epoch in range(1, 150):
        one.begin_epoch(epoch)
        one.learn(FEATURES, COLUMNS, ONES)
    assert (one.logits(FEATURES).argmax(axis=1) == COLUMNS).mean() > 0.95


def test_restored_state_goes_on_the_same() -> None:
    one, other = learner((3, 8, 2), 0.5), learner((3, 8, 2), 0.5)
    one.begin_epoch(1)
    one.learn(FEATURES, COLUMNS, ONES)
    other.restore(one.state())
    for each in (one, other):
        each.begin_epoch(2)
        each.learn(FEATURES, COLUMNS, ONES)
    np.testing.assert_array_equal(one.logits(FEATURES), other.logits(FEATURES))


def test_a_weight_of_zero_is_not_learned_from() -> None:
    weights = ONES.copy()
    weights[20:] = 0
    changed = FEATURES.copy()
    changed[20:] += 1
    one, other = learner(), learner()
    one.learn(FEATURES, COLUMNS, weights)
    other.learn(changed, COLUMNS, weights)
    np.testing.assert_allclose(one.head().layers[0][0], other.head().layers[0][0], rtol=1e-5)
