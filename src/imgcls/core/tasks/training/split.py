"""Set some images aside for validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def stratified_split(
    labels: Sequence[str], groups: Sequence[Sequence[int]], fraction: float, seed: int
) -> tuple[list[int], list[int]]:
    """Split images into training and validation, class by class.

    Images of one group, which show the same picture, all go to one side. A class keeps at
    least one group for training.

    Args:
        labels: of the images.
        groups: positions of images that belong together; an image not named stands alone.
        fraction: of each class that is for validation, 0 to 1.
        seed: the same seed splits the same images in the same way.

    Returns:
        Positions for training and for validation, each in order.
    """
    together = {group[0]: list(group) for group in groups}
    later = {position for group in groups for position in group[1:]}
    by_label: dict[str, list[list[int]]] = {}
    for position, label in enumerate(labels):
        if position not in later:
            by_label.setdefault(label, []).append(together.get(position, [position]))
    random = np.random.default_rng(seed)
    validation: list[int] = []
    for label in sorted(by_label):
        units = by_label[label]
        wanted = round(fraction * sum(map(len, units)))
        taken = 0
        for index in random.permutation(len(units)).tolist()[1:]:
            # A unit that would overshoot by more than it helps stays.
            if taken + len(units[index]) / 2 <= wanted:
                validation += units[index]
                taken += len(units[index])
    chosen = set(validation)
    return [p for p in range(len(labels)) if p not in chosen], sorted(validation)
