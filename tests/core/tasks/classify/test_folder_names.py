from __future__ import annotations

import os

import pytest

from imgcls.core.models.labels import ClassLabel, imagenet_labels
from imgcls.core.tasks.classify.folder_names import folder_name, folder_names
from tests.core.tasks.classify.sorted_photos import HOSTILE_LABELS


@pytest.mark.parametrize("label", HOSTILE_LABELS)
def test_a_label_is_the_name_of_one_folder(label: str) -> None:
    name = folder_name(label)
    assert name and name == os.path.basename(name)
    assert not name.startswith(".") and name == name.rstrip(". ")
    assert len(os.fsencode(name)) <= 121
    assert not set(name) & set('/\\:*?"<>|\0\n\x1b')


def test_names() -> None:
    assert folder_name("tiger_cat") == "tiger_cat"
    assert folder_name("jack-o'-lantern") == "jack-o'-lantern"
    assert folder_name("../../up") == "_.._up"
    assert folder_name("con") == "_con"


def test_folders_that_would_meet_are_kept_apart() -> None:
    labels = [ClassLabel(name, name) for name in ("a/b", "a_b", "Unknown", "errors", "ok")]
    assert list(folder_names(labels).values()) == ["a_b-0", "a_b-1", "Unknown-2", "errors-3", "ok"]
    names = list(folder_names(imagenet_labels()).values())
    assert len({name.casefold() for name in names}) == 1000
    assert {"tiger_cat", "crane-n02012849", "crane-n03126707"} <= set(names)
