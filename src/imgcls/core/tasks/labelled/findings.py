"""What can be wrong with a labelled folder: a row per kind, with the check that finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from imgcls.core.tasks.labelled import checks
from imgcls.core.tasks.labelled.checks import Check

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Kind:
    """One kind of finding.

    Attributes:
        severity: "error" spoils training or its figures, "warning" may, "note" is for knowing.
        one: what is said of one, behind its number.
        more: what is said of several.
        advice: what to do about it.
        check: finds it.
    """

    severity: Severity
    one: str
    more: str
    advice: str
    check: Check

    def found(self, count: int) -> str:
        """Return what is said of so many: "2 images appear under more than one label"."""
        return f"{count:,} {self.one if count == 1 else self.more}"


KINDS: Mapping[str, Kind] = {
    "unreadable": Kind(
        "error",
        "image cannot be read",
        "images cannot be read",
        "replace or delete it, or let finetune leave it out",
        checks.unreadable,
    ),
    "conflicting-labels": Kind(
        "error",
        "image appears under more than one label",
        "images appear under more than one label",
        "keep each image under its right label only",
        checks.conflicting,
    ),
    "leak": Kind(
        "error",
        "image is in training and in validation or test",
        "images are in training and in validation or test",
        "delete it from one of them: accuracy on images seen in training is too high",
        checks.leaks,
    ),
    "class-name": Kind(
        "error",
        "class folder has a name that is not UTF-8",
        "class folders have names that are not UTF-8",
        "rename it; finetune cannot make a label of it",
        checks.bad_names,
    ),
    "one-class": Kind(
        "error",
        "class is the only one",
        "classes are the only ones",
        "a classifier needs two; if the folder holds class folders, name it instead",
        checks.one_class,
    ),
    "empty-class": Kind(
        "error",
        "class has no images",
        "classes have no images",
        "add images or remove the class",
        checks.empty,
    ),
    "missing-class": Kind(
        "error",
        "class is not in every part of the set",
        "classes are not in every part of the set",
        "a class must be in training, and in validation or test to be measured",
        checks.missing,
    ),
    "linked-folder": Kind(
        "warning",
        "folder is a link and passed over",
        "folders are links and passed over",
        "put the folder itself in its place to use its images",
        checks.passed_over("linked-folder"),
    ),
    "loose-image": Kind(
        "warning",
        "image beside the class folders is not used",
        "images beside the class folders are not used",
        "move it into the folder of its class, or delete it",
        checks.passed_over("loose-image"),
    ),
    "unused-folder": Kind(
        "warning",
        "folder beside the training folder is not used",
        "folders beside the training folder are not used",
        "move its images into the class folders, or name it on its own",
        checks.passed_over("unused-folder"),
    ),
    "duplicates": Kind(
        "warning",
        "image is there more than once",
        "images are there more than once",
        "keep one of them",
        checks.repeated(exactly=True),
    ),
    "near-duplicates": Kind(
        "warning",
        "image is there again, nearly the same",
        "images are there again, nearly the same",
        "keep one of them unless they show different things",
        checks.repeated(exactly=False),
    ),
    "tiny-class": Kind(
        "warning",
        f"class has fewer than {checks.TINY_CLASS} images",
        f"classes have fewer than {checks.TINY_CLASS} images",
        "add images of this class",
        checks.tiny,
    ),
    "imbalance": Kind(
        "warning",
        "pair of classes differs much in size",
        "pairs of classes differ much in size",
        "add images to the small ones, or let finetune weight the classes",
        checks.imbalance,
    ),
    "odd-size": Kind(
        "warning",
        "image is very small or very long",
        "images are very small or very long",
        "look at it: little of it reaches the network",
        checks.odd_sizes,
    ),
    "blank": Kind(
        "warning",
        "picture is of a single colour",
        "pictures are of a single colour",
        "delete it: nothing is on it",
        checks.blank,
    ),
    "dark": Kind(
        "warning",
        "photo is almost black",
        "photos are almost black",
        "look at it: delete it, or brighten it",
        checks.dark,
    ),
    "overexposed": Kind(
        "warning",
        "photo is almost white",
        "photos are almost white",
        "look at it: delete it if its subject is lost",
        checks.overexposed,
    ),
    "blurred": Kind(
        "warning",
        "photo is blurred",
        "photos are blurred",
        "look at it: delete it if its subject cannot be told",
        checks.blurred,
    ),
    "doubtful-label": Kind(
        "warning",
        "label is contradicted by its photo",
        "labels are contradicted by their photos, the most doubtful first",
        "look at it: move it if it is in the wrong folder",
        lambda _: iter(()),  # needs a network: core/tasks/auditing/labels.py
    ),
    "hidden-folder": Kind(
        "note",
        "hidden folder is passed over",
        "hidden folders are passed over",
        "delete it if it is left over",
        checks.hidden,
    ),
}
