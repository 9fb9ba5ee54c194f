from __future__ import annotations

from collections import Counter

import pytest

from imgcls.core.tasks.training.split import stratified_split

LABELS = ["a"] * 100 + ["b"] * 20 + ["c"]


@pytest.mark.parametrize("seed", range(5))
def test_each_class_gives_its_part(seed: int) -> None:
    training, validation = stratified_split(LABELS, [], 0.2, seed)
    assert sorted(training + validation) == list(range(121))
    assert Counter(LABELS[p] for p in validation) == {"a": 20, "b": 4}


def test_seed() -> None:
    one, same, other = (stratified_split(LABELS, [], 0.2, seed)[1] for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_together(seed: int) -> None:
    groups = [list(range(start, start + 5)) for start in range(0, 100, 5)] + [[100, 120]]
    _, validation = stratified_split(LABELS, groups, 0.2, seed)
    aside = set(validation)
    for group in groups:
        assert len(aside.intersection(group)) in (0, len(group))
    assert len(aside & set(range(100))) == 20


def test_a_class_in_one_group_is_learned() -> None:
    training, validation = stratified_split(["a"] * 4, [[0, 1, 2, 3]], 0.5, 0)
    assert (training, validation) == ([0, 1, 2, 3], [])
