"""How far an image is from those that a classifier learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imgcls.core.arrays import Float32Array

# The directions of all classes together take no more than this, but for one of each class.
_MAX_BYTES = 205_000  # 40 directions of 1280 features
_MAX_PHOTOS = 1000  # of a class, more of which change no direction; and of the validation photos


@dataclass(frozen=True)
class Familiarity:
    """Tells photos like those learned from photos of other things.

    The photos of a class span a subspace of the features; an image is as close to the class as
    the part of it that lies in the subspace (Watanabe et al. 1967, "Evaluation and selection of
    variables in pattern recognition"; the residual is that of Wang et al. 2022,
    https://arxiv.org/abs/2203.10807, of each class by itself). How close is close is what the
    validation photos say: the p-value is conformal (Vovk et al. 2005; Laxhammar 2014).

    Attributes:
        directions: of each class, orthonormal, float32 (classes, k, d); rows of zeros where a
            class has fewer than k.
        closeness: of validation photos that were classified right, 0 to 1, rising, float32 (n,).
    """

    directions: Float32Array
    closeness: Float32Array

    @classmethod
    def of(
        cls, features: Float32Array, columns: np.ndarray, known: Float32Array
    ) -> Familiarity | None:
        """Return that of a classifier.

        Args:
            features: of the photos learned, (n, d).
            columns: the class of each, (n,).
            known: features of validation photos that were classified right, (m, d).

        Returns:
            None where there is no validation photo to compare with.
        """
        if not len(known):
            return None
        classes = int(columns.max()) + 1
        width = features.shape[1]
        most = max(1, _MAX_BYTES // (features.itemsize * width * classes))
        directions = np.zeros((classes, min(most, width), width), np.float32)
        for column, found in enumerate(directions):
            rows = principal_directions(features[columns == column], most)
            found[: len(rows)] = rows
        shown = known[_evenly(len(known))]
        return cls(directions, np.sort(closeness(shown, directions)))

    @classmethod
    def of_folds(
        cls, features: Float32Array, columns: np.ndarray, fold_of: np.ndarray, right: np.ndarray
    ) -> Familiarity | None:
        """Return that of a classifier of all photos, each compared with the other folds.

        Args:
            features: of all photos, (n, d).
            columns: the class of each, (n,).
            fold_of: the fold of each, (n,).
            right: whether each was classified right out of its fold, (n,).
        """
        found = []
        for fold in np.unique(fold_of):
            out = fold_of == fold
            part = cls.of(features[~out], columns[~out], features[out & right])
            found += [] if part is None else [part.closeness]
        whole = cls.of(features, columns, features[:1])
        if whole is None or not found:
            return None
        known = np.sort(np.concatenate(found))
        return cls(whole.directions, known[_evenly(len(known))])

    def p_values(self, features: Float32Array) -> Float32Array:
        """Return the part of the validation photos that are less familiar than each image.

        Args:
            features: (n, d).

        Returns:
            float32 (n,), 0 to 1.
        """
        below = np.searchsorted(self.closeness, closeness(features, self.directions))
        values: Float32Array = (below / len(self.closeness)).astype(np.float32)
        return values


def closeness(features: Float32Array, directions: Float32Array) -> Float32Array:
    """Return the greatest part of each image's features that lies in the subspace of a class.

    Args:
        features: (n, d).
        directions: of each class, orthonormal, (classes, k, d).

    Returns:
        float32 (n,), 0 to 1: the squared cosine of the angle between features and subspace.
    """
    classes, k, width = directions.shape
    unit = _unit(features)
    along = unit @ directions.reshape(classes * k, width).T  # (n, classes · k)
    parts = np.square(along).reshape(len(unit), classes, k).sum(axis=2)
    closest: Float32Array = parts.max(axis=1)
    return closest


def principal_directions(features: Float32Array, most: int) -> Float32Array:
    """Return the directions that hold most of some features, through the origin.

    Args:
        features: of one class, (n, d); the length of each counts alike.
        most: how many directions; one for two photos at most, so that no photo has its own.

    Returns:
        Orthonormal rows, float32 (k, d).
    """
    unit = _unit(features[_evenly(len(features))])
    count = min(most, max(1, len(unit) // 2), unit.shape[1])
    if not len(unit):
        return unit
    # By the smaller of the two matrices that have the same directions: (n, n), not (d, d).
    sizes, vectors = np.linalg.eigh((unit @ unit.T).astype(np.float64))
    sizes, vectors = sizes[::-1][:count], vectors[:, ::-1][:, :count]
    present = sizes > 1e-5 * max(float(sizes[0]), 1e-12)  # what remains is rounding
    rows: Float32Array = _unit((vectors[:, present].T @ unit).astype(np.float32))
    return rows


def _unit(features: Float32Array) -> Float32Array:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit: Float32Array = (features / np.maximum(lengths, np.float32(1e-12))).astype(np.float32)
    return unit


def _evenly(count: int) -> np.ndarray:
    """Return at most so many positions as are used, evenly spaced."""
    used = min(count, _MAX_PHOTOS)
    return np.linspace(0, count - 1, used).round().astype(np.int64)
