"""Descriptions that were changed at random: each is imported or refused in words."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgcls.core.models.keras_file import describe
from imgcls.core.models.keras_file.contents import read_keras_file

FILES = Path(__file__).parents[3] / "keras2_files"
_VALUES: list[Any] = [
    *(None, True, -1, 0, 2**70, 1e308, float("nan"), -0.5, "", "x", "relu", "channels_first"),
    *([], {}, [[]], [1, 2, 3], ["input_1", 0, 0], {"class_name": "x", "config": {}}),
]


def _places(said: Any) -> Iterator[tuple[Any, Any]]:
    entries = said.items() if isinstance(said, dict) else enumerate(said)
    for key, value in entries:
        yield said, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _change(config: Any, chance: random.Random) -> None:
    places = list(_places(config))
    (inside, key), (other, other_key) = chance.choice(places), chance.choice(places)
    kind = chance.random()
    if kind < 0.7:
        inside[key] = copy.deepcopy(chance.choice(_VALUES))
    elif kind < 0.85:
        inside[key] = copy.deepcopy(other[other_key])
    else:
        del inside[key]


@pytest.mark.parametrize("name", ["tf_inside.h5", "caffe_inside.h5", "own_cnn.h5", "nested.keras"])
def test_each_is_imported_or_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    file, chance = read_keras_file(FILES / name, tmp_path), random.Random(0)
    refused = 0
    for _ in range(400):
        config = copy.deepcopy(file.config)
        for _ in range(chance.choice([1, 1, 2, 4])):
            _change(config, chance)
        changed = replace(file, config=config)
        monkeypatch.setattr(describe, "read_keras_file", lambda *_, changed=changed: changed)
        try:
            describe.describe(tmp_path, tmp_path)
        except ValueError as error:
            assert "\n" not in str(error)
            refused += 1
    assert 50 < refused < 390
