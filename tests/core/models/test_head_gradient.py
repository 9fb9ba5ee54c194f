from __future__ import annotations

import itertools

import numpy as np
import pytest

from imgcls.core.models.head import Head


def layer(inputs: int, outputs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    kernel = random.normal(size=(inputs, outputs)).astype(np.float32)
    return kernel, random.normal(size=outputs).astype(np.float32)


def test_a_linear_head_has_its_kernel_for_a_gradient() -> None:
    head = Head((layer(4, 3, 0),))
    direction = np.array([0, 1, 0], np.float32)
    gradient = head.gradient(np.ones(4, np.float32), direction)
    np.testing.assert_array_equal(gradient, head.layers[0][0][:, 1])


def test_on_paper() -> None:
    # Two features, two hidden units of which the second is silent: 1 - 3 < 0.
    hidden = np.array([[2, 1], [5, 0]], np.float32), np.array([0, -3], np.float32)
    last = np.array([[3, -1], [100, 100]], np.float32), np.zeros(2, np.float32)
    gradient = Head((hidden, last)).gradient(
        np.array([1, 1], np.float32), np.array([1, -1], np.float32)
    )
    np.testing.assert_array_equal(gradient, [8, 20])  # (3 + 1) times (2, 5)


@pytest.mark.parametrize("sizes", [(6, 5, 4), (6, 7, 5, 4)])
def test_equals_tensorflow(sizes: tuple[int, ...]) -> None:
    import tensorflow as tf

    pairs = itertools.pairwise(sizes)
    head = Head(tuple(layer(d_in, d_out, seed) for seed, (d_in, d_out) in enumerate(pairs)))
    features = tf.constant(np.random.default_rng(9).normal(size=(1, 6)).astype(np.float32))
    direction = np.array([0, 1, 0, -1], np.float32)
    with tf.GradientTape() as tape:
        tape.watch(features)
        x = features
        for kernel, bias in head.layers[:-1]:
            x = tf.nn.relu(x @ kernel + bias)
        contrast = tf.linalg.matvec(x @ head.layers[-1][0] + head.layers[-1][1], direction)
    expected = tape.gradient(contrast, features)[0]
    ours = head.gradient(features.numpy()[0], direction)
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)
