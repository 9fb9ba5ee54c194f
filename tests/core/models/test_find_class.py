from __future__ import annotations

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.models.labels import ClassLabel, find_class, imagenet_labels


@pytest.mark.parametrize(
    "name", ["tiger_cat", "Tiger cat", "TIGER-CAT", "n02123159", "N02123159", "282"]
)
def test_a_class_is_named_by_label_id_or_number(name: str) -> None:
    assert find_class(imagenet_labels(), name) == 282


def test_a_label_goes_before_a_number() -> None:
    labels = tuple(ClassLabel(label, label) for label in ("2", "1", "0"))
    assert [find_class(labels, name) for name in ("0", "1", "2")] == [2, 1, 0]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("cat", "tiger_cat or Siamese_cat or Persian_cat"),
        ("expresso", "espresso or espresso_maker or "),
        ("1000", None),
        ("", None),
    ],
)
def test_an_unknown_class_names_the_three_nearest(name: str, near: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        find_class(imagenet_labels(), name)
    message = str(caught.value)
    assert message.startswith(f"{name}: no such class; did you mean ")
    assert message.count(" or ") == 2
    if near is not None:
        assert near in message


def test_a_label_of_two_classes_asks_for_the_id() -> None:
    with pytest.raises(UsageError, match="2 classes have this label; say n02012849 or n03126707"):
        find_class(imagenet_labels(), "crane")


def test_both_forms_of_an_accent_name_the_same_class() -> None:
    composed, apart = "café", "cafe\u0301"
    assert find_class((ClassLabel(apart, apart),), composed) == 0
    assert find_class((ClassLabel(composed, composed),), apart) == 0
