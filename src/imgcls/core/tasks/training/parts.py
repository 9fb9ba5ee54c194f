"""Which folders of a labelled set are learned and which are set aside, before any image is read."""

from __future__ import annotations

import logging
import os
from dataclasses import replace

from imgcls.core.errors import UsageError
from imgcls.core.models.file_description import check_labels
from imgcls.core.tasks.labelled.dataset import (
    Dataset,
    Part,
    class_folders,
    read_dataset,
)
from imgcls.core.tasks.labelled.names import is_utf8
from imgcls.core.tasks.training.options import FinetuneOptions
from imgcls.core.words import counted

log = logging.getLogger("imgcls")


def chosen_parts(dataset: Dataset, options: FinetuneOptions) -> Dataset:
    """Return a dataset of the parts "train" and, where there is one, "validation".

    What of the folder is not used is said.

    Raises:
        UsageError: there are fewer than two classes, a name can be no label, or the folders do
            not fit each other.
    """
    learned = dataset.part("train") or dataset.part("all")
    if learned is None:  # only a table can be so
        raise UsageError(f"{dataset.folder}: has no row of the split train to learn from")
    _check_classes(learned)
    aside = _set_aside(dataset, options)
    _report_unused(dataset, learned, aside)
    parts = [replace(learned, split="train")]
    if aside is not None:
        unknown = sorted(set(aside.labels) - set(learned.labels))
        if unknown:
            raise UsageError(
                f"{aside.folder}: class {unknown[0]} is not in {learned.folder}; the classes "
                "of both must have the same names"
            )
        parts.append(replace(aside, split="validation"))
    return replace(dataset, parts=tuple(parts))


def _set_aside(dataset: Dataset, options: FinetuneOptions) -> Part | None:
    if options.validation is not None:
        given = read_dataset(options.validation)
        if len(given.parts) > 1:
            raise UsageError(f"{given.folder}: holds several parts; name one of them alone")
        _report_passed_over(given)
        return given.parts[0]
    if options.val_split is not None or options.folds is not None:
        return None
    return dataset.part("validation") or dataset.part("test")


def _check_classes(part: Part) -> None:
    for name in part.names:
        if not is_utf8(name):
            shown = os.fsencode(name).decode("utf-8", "backslashreplace")
            raise UsageError(
                f"{part.folder}: the name of the class folder {shown} is not UTF-8, so it can be "
                "no label; rename it"
            )
    if len(part.labels) == 1:
        inner = os.path.join(part.folder, part.names[0])
        remedy = (
            f"it holds folders itself: name {inner}"
            if part.listed is None and class_folders(inner)
            else "a classifier needs two, such as one of photos that show something else"
        )
        raise UsageError(f"{part.folder}: holds one class ({part.labels[0]}); {remedy}")
    try:
        check_labels(part.labels)
    except ValueError as error:
        raise UsageError(f"{part.folder}: {error}; rename the class") from None


def _report_unused(dataset: Dataset, learned: Part, aside: Part | None) -> None:
    for part in dataset.parts:
        if part in (learned, aside):
            continue
        if part.listed is not None:
            log.info("%s: not used (%s)", part.folder, counted(len(part.listed), "row"))
        else:
            log.info("%s: not used; name it with `validation` to validate on it", part.folder)
    _report_passed_over(dataset)


def _report_passed_over(dataset: Dataset) -> None:
    for one in dataset.passed_over:
        if one.reason == "linked-folder":
            log.warning(
                "%s: is a link to a folder and not used; put the folder itself there", one.path
            )
        elif one.reason == "unused-folder":
            log.warning(
                "%s: not used: it holds no class folders, or is not called as a validation or test "
                "folder",
                one.path,
            )
    loose = [one.path for one in dataset.passed_over if one.reason == "loose-image"]
    if loose:
        shown = ", ".join(os.path.basename(path) for path in loose[:3])
        log.warning(
            "%s: not used: %s beside the class folders (%s%s); put them into the folders of their "
            "classes",
            dataset.folder,
            counted(len(loose), "image"),
            shown,
            ", …" if len(loose) > 3 else "",
        )
