"""Slices of the inputs, and their names."""

from __future__ import annotations

import json

from imgcls.core.pixels.source import Source
from imgcls.core.tasks.cluster.parts import is_part_name, packed, parts_of, unpacked

FIVE = [Source(f"{number}.jpg") for number in range(5)]


def test_every_input_is_in_one_part_in_order() -> None:
    parts = list(parts_of(FIVE, "facts", 2, ".jsonl"))
    assert [[one.name for one in part.sources] for part in parts] == [
        ["0.jpg", "1.jpg"],
        ["2.jpg", "3.jpg"],
        ["4.jpg"],
    ]
    assert [part.name[:12] for part in parts] == ["part-000000-", "part-000001-", "part-000002-"]
    assert all(is_part_name(part.name) for part in parts)


def test_a_name_says_what_is_in_a_part() -> None:
    names = [part.name for part in parts_of(FIVE, "facts", 2, ".jsonl")]
    assert names == [part.name for part in parts_of(iter(FIVE), "facts", 2, ".jsonl")]
    # Another model, or another input: other names, but for the parts that are the same.
    assert not set(names) & {part.name for part in parts_of(FIVE, "others", 2, ".jsonl")}
    other = [*FIVE[:4], Source("new.jpg")]
    assert [part.name for part in parts_of(other, "facts", 2, ".jsonl")][:2] == names[:2]
    assert [part.name for part in parts_of(other, "facts", 2, ".jsonl")][2] != names[2]


def test_no_input_is_no_part() -> None:
    assert list(parts_of([], "facts", 2, ".jsonl")) == []


def test_sources_travel_as_json() -> None:
    odd = [
        Source("a\udcff.jpg", root="a"),
        Source("b.jpg", label="b"),
        Source("gone", "missing", "no file matches"),
    ]
    assert unpacked(json.loads(json.dumps(packed(odd)))) == odd


def test_names_of_others() -> None:
    assert not is_part_name("part-0.parquet")
    assert not is_part_name("part-000000-0123456789abcdef.jsonl.json")
    assert not is_part_name("_summary.json")
