"""How the images of a set are counted, class folder by class folder."""

from __future__ import annotations

import os

from imgcls.core.pixels.source import Source
from imgcls.core.tasks.labelled.dataset import Dataset, Example, Part
from imgcls.core.tasks.labelled.fingerprints import Fingerprint
from imgcls.core.tasks.labelled.inspection import InspectedDataset
from imgcls.core.tasks.labelled.splits import Split

GOOD = Fingerprint("d", 0, 9, 9, "")
OTHER = Fingerprint("e", 0, 9, 9, "")
BAD = Fingerprint("", 0, 0, 0, "truncated JPEG")


def example(label: str, split: Split = "all") -> Example:
    return Example(Source(f"{label}.jpg"), label, split)


def test_unreadable_images_do_not_count_and_empty_classes_do() -> None:
    dataset = Dataset("set", (Part("all", "set", ("a", "b", "c")),))
    examples = [example("b"), example("a"), example("b"), example("b")]
    inspected = InspectedDataset(dataset, examples, [GOOD, BAD, GOOD, BAD], [])
    counts = {
        os.path.join("set", name): count for name, count in zip("abc", (0, 2, 0), strict=True)
    }
    assert inspected.readable_counts() == counts
    assert inspected.training_counts() == counts
    assert list(inspected.pairs())[1] == (examples[1], BAD)


def test_names_that_are_equal_when_composed_are_counted_by_the_first() -> None:
    decomposed, composed = "mu\u0308ll", "m\u00fcll"
    dataset = Dataset("set", (Part("all", "set", (decomposed, composed)),))
    inspected = InspectedDataset(dataset, [example(composed)] * 3, [GOOD] * 3, [])
    assert inspected.readable_counts() == {os.path.join("set", decomposed): 3}


def test_only_the_training_part_is_for_training() -> None:
    parts = Part("test", "set/test", ("a",)), Part("train", "set/train", ("a", "b"))
    examples = [example("a", "test"), example("a", "train")]
    inspected = InspectedDataset(Dataset("set", parts), examples, [GOOD, GOOD], [])
    counts = inspected.readable_counts()
    assert list(counts) == sorted(counts) and sum(counts.values()) == 2
    train = {os.path.join("set/train", "a"): 1, os.path.join("set/train", "b"): 0}
    assert inspected.training_counts() == train


def test_a_group_is_exact_where_all_its_files_are_equal() -> None:
    dataset = Dataset("set", (Part("all", "set", ("a", "b")),))
    examples = [example("a"), example("b"), example("a")]
    inspected = InspectedDataset(dataset, examples, [GOOD, GOOD, OTHER], [(0, 1), (0, 1, 2)])
    assert list(inspected.grouped()) == [(examples[:2], True), (examples, False)]
