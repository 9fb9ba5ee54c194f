"""How near to what was learned: subspaces and p-values worked out by hand."""

from __future__ import annotations

import numpy as np

from imgcls.core.models.familiarity import Familiarity, closeness, principal_directions


def array(*values: object) -> np.ndarray:
    return np.array(values, np.float32)


# Two classes of three features: along the first axis, and along the second.
DIRECTIONS = array([[1, 0, 0]], [[0, 1, 0]])


def test_closeness_is_the_part_of_the_features_in_the_nearest_subspace() -> None:
    features = array([5, 0, 0], [3, 4, 0], [1, 2, 2], [0, 0, 7], [0, 0, 0])
    np.testing.assert_allclose(
        closeness(features, DIRECTIONS), [1, 16 / 25, 4 / 9, 0, 0], rtol=1e-6
    )


def test_a_subspace_of_two_directions_holds_what_lies_between_them() -> None:
    plane = array([[1, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(closeness(array([3, 4, 0], [3, 0, 4]), plane), [1, 9 / 25])


def test_the_p_value_is_the_part_of_the_photos_that_are_less_familiar() -> None:
    known = Familiarity(DIRECTIONS, array(0.2, 0.5, 0.5, 1.0))
    values = known.p_values(array([0, 0, 1], [1, 1, 0], [3, 4, 0], [1, 0, 0]))
    np.testing.assert_array_equal(values, array(0, 0.25, 0.75, 0.75))  # 0, 1/2, 16/25 and 1
    assert values.dtype == np.float32


def test_principal_directions_of_a_line_and_of_nothing() -> None:
    (direction,) = principal_directions(array([1, 1], [2, 2], [3, 3], [4, 4]), 2)
    np.testing.assert_allclose(np.abs(direction), [0.5**0.5] * 2, rtol=1e-6)
    assert principal_directions(np.zeros((0, 4), np.float32), 2).shape == (0, 4)
    assert principal_directions(np.zeros((3, 4), np.float32), 2).shape == (0, 4)


def test_directions_are_orthonormal_and_leave_no_photo_its_own() -> None:
    features = np.random.default_rng(0).random((6, 50), np.float32)
    rows = principal_directions(features, 20)
    np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-5)  # three for six photos


def test_of_learned_photos() -> None:
    learned = array([9, 1, 0], [9, -1, 0], [1, 9, 0], [-1, 9, 0], [1, 8, 0])
    columns = np.array([0, 0, 1, 1, 1])
    validation = array([0, 5, 1], [5, 0, 0])
    known = Familiarity.of(learned, columns, validation)
    assert known is not None
    np.testing.assert_allclose(np.abs(known.directions[0, 0]), [1, 0, 0], atol=1e-6)
    assert known.directions.shape == (2, 3, 3)
    assert not known.directions[:, 1:].any()  # one direction for so few photos
    assert (np.diff(known.closeness) >= 0).all()
    assert known.p_values(array([0, 0, 1]))[0] == 0


def test_without_a_validation_photo_there_is_none() -> None:
    features = array([1, 0], [0, 1])
    assert Familiarity.of(features, np.array([0, 1]), features[:0]) is None


def test_directions_stay_under_their_size() -> None:
    features = np.random.default_rng(1).random((120, 1280), np.float32)
    known = Familiarity.of(features, np.arange(120) % 2, features)
    assert known is not None
    assert known.directions.shape == (2, 20, 1280)
    assert known.directions.nbytes + known.closeness.nbytes < 210_000
    many = Familiarity.of(features[:, :600], np.arange(120), features[:, :600])
    assert many is not None
    assert many.directions.shape == (120, 1, 600)  # each class keeps one


def test_folds_compare_each_photo_with_those_of_the_others() -> None:
    learned = array([9, 1, 0], [9, 1, 0], [1, 9, 0], [1, 9, 0], [0, 0, 9], [9, 1, 0])
    columns, folds = np.array([0, 0, 1, 1, 1, 0]), np.array([0, 1, 0, 1, 0, 1])
    right = np.array([True, True, True, True, False, False])
    known = Familiarity.of_folds(learned, columns, folds, right)
    assert known is not None
    assert len(known.closeness) == 4
    np.testing.assert_allclose(known.closeness[-1], 1, rtol=1e-5)
    assert Familiarity.of_folds(learned, columns, folds, np.zeros(6, bool)) is None
