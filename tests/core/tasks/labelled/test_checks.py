"""Each check of an audit at its limits, on sets whose images are only described."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from imgcls.core.pixels.source import Source
from imgcls.core.tasks.labelled.checks import Found
from imgcls.core.tasks.labelled.dataset import Dataset, Example, Part, PassedOver
from imgcls.core.tasks.labelled.findings import KINDS
from imgcls.core.tasks.labelled.fingerprints import Fingerprint
from imgcls.core.tasks.labelled.inspection import InspectedDataset
from imgcls.core.tasks.labelled.splits import Split

GOOD = Fingerprint("d", 0, 100, 100, "")
BAD = Fingerprint("", 0, 0, 0, "truncated JPEG")


def described(
    *images: tuple[str, Fingerprint],
    empty: tuple[str, ...] = (),
    groups: tuple[tuple[int, ...], ...] = (),
    split: Split = "all",
) -> InspectedDataset:
    """Return a set of images that are named LABEL/FILE."""
    examples = [Example(Source(name), os.path.dirname(name), split) for name, _ in images]
    names = tuple(sorted({example.label for example in examples} | set(empty)))
    dataset = Dataset("set", (Part(split, "set", names),))
    return InspectedDataset(dataset, examples, [one for _, one in images], groups)


def many(label: str, count: int) -> list[tuple[str, Fingerprint]]:
    return [(f"{label}/{number}.jpg", GOOD) for number in range(count)]


def found(kind: str, inspected: InspectedDataset) -> list[list[str]]:
    return [one.paths for one in KINDS[kind].check(inspected)]


def test_a_class_of_19_is_tiny_and_one_of_20_or_of_none_is_not() -> None:
    inspected = described(*many("a", 19), *many("b", 20), ("c/0.jpg", BAD), empty=("d",))
    assert found("tiny-class", inspected) == [[os.path.join("set", "a")]]
    assert found("empty-class", inspected) == [
        *([os.path.join("set", "c")], [os.path.join("set", "d")]),
    ]


@pytest.mark.parametrize(
    ("looks", "kinds"),
    [
        *(({"contrast": 6.0}, []), ({"contrast": 5.9}, ["blank"])),
        *(({"lightest": 50.0}, []), ({"lightest": 49.9}, ["dark"])),
        *(({"darkest": 200.0}, []), ({"darkest": 200.1}, ["overexposed"])),
        *(({"sharpness": 0.2}, []), ({"sharpness": 0.19}, ["blurred"])),
        ({"contrast": 0.0, "lightest": 9.0, "sharpness": 0.0}, ["blank"]),
    ],
)
def test_how_a_picture_looks(looks: dict[str, float], kinds: list[str]) -> None:
    inspected = described(("a/0.jpg", replace(GOOD, **looks)), ("b/0.jpg", BAD))
    looked_for = ("blank", "dark", "overexposed", "blurred")
    assert [kind for kind in looked_for if found(kind, inspected) == [["a/0.jpg"]]] == kinds


@pytest.mark.parametrize(("larger", "uneven"), [(10, False), (11, True)])
def test_five_times_as_many_is_no_imbalance_and_more_is(larger: int, uneven: bool) -> None:
    inspected = described(*many("a", 2), *many("b", larger), empty=("c",))  # c counts as nothing
    expected = [[os.path.join("set", "b"), os.path.join("set", "a")]] if uneven else []
    assert found("imbalance", inspected) == expected
    assert found("imbalance", described(empty=("a", "b"))) == []


@pytest.mark.parametrize(
    ("width", "height", "odd"),
    [
        *((32, 32, False), (31, 100, True), (100, 31, True)),
        *((400, 100, False), (401, 100, True), (100, 401, True)),
    ],
)
def test_sizes(width: int, height: int, odd: bool) -> None:
    inspected = described(("a/0.jpg", Fingerprint("d", 0, width, height, "")), ("a/1.jpg", BAD))
    assert found("odd-size", inspected) == ([["a/0.jpg"]] if odd else [])
    assert list(KINDS["unreadable"].check(inspected)) == [Found(["a/1.jpg"], "truncated JPEG")]


def test_the_same_image_under_two_labels_is_a_conflict_and_no_repeat() -> None:
    names = ("a/0.jpg", GOOD), ("b/0.jpg", GOOD)
    inspected = described(*names, groups=((0, 1),))
    assert found("conflicting-labels", inspected) == [["a/0.jpg", "b/0.jpg"]]
    assert found("duplicates", inspected) == found("near-duplicates", inspected) == []
    assert found("leak", inspected) == []


def test_equal_files_are_duplicates_and_others_of_a_group_nearly_so() -> None:
    other = Fingerprint("e", 0, 100, 100, "")
    images = [("a/0.jpg", GOOD), ("a/1.jpg", GOOD), ("a/2.jpg", GOOD), ("a/3.jpg", other)]
    inspected = described(*images, groups=((0, 1), (2, 3)))
    assert found("duplicates", inspected) == [["a/0.jpg", "a/1.jpg"]]
    assert found("near-duplicates", inspected) == [["a/2.jpg", "a/3.jpg"]]
    assert found("conflicting-labels", inspected) == []


def test_the_same_image_in_two_parts_is_a_leak_and_no_repeat() -> None:
    parts: tuple[Split, ...] = ("train", "test")
    dataset = Dataset("set", tuple(Part(part, f"set/{part}", ("a",)) for part in parts))
    examples = [Example(Source(f"set/{part}/a/0.jpg"), "a", part) for part in parts]
    inspected = InspectedDataset(dataset, examples, [GOOD, GOOD], [(0, 1)])
    assert found("leak", inspected) == [["set/train/a/0.jpg", "set/test/a/0.jpg"]]
    assert found("duplicates", inspected) == []


def test_one_class_is_wrong_in_training_only() -> None:
    one = [("a/0.jpg", GOOD)]
    assert found("one-class", described(*one)) == [[os.path.join("set", "a")]]
    assert found("one-class", described(*one, split="train")) == [[os.path.join("set", "a")]]
    assert found("one-class", described(*one, split="test")) == []
    assert found("one-class", described(*one, empty=("b",))) == []


def test_what_is_passed_over_is_told_by_its_reason() -> None:
    passed_over = (PassedOver("set/x", "linked-folder"), PassedOver("set/y.jpg", "loose-image"))
    dataset = Dataset("set", (Part("all", "set", ("a",)),), passed_over)
    inspected = InspectedDataset(dataset, [], [], [])
    assert found("linked-folder", inspected) == [["set/x"]]
    assert found("loose-image", inspected) == [["set/y.jpg"]]
    assert found("unused-folder", inspected) == []
