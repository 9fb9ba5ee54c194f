"""What is said of each kind of finding."""

from __future__ import annotations

from imgcls.core.tasks.labelled.findings import KINDS


def test_what_is_said_of_one_and_of_several() -> None:
    said = "{} under more than one label"
    assert KINDS["conflicting-labels"].found(1) == said.format("1 image appears")
    assert KINDS["conflicting-labels"].found(2) == said.format("2 images appear")
    assert KINDS["tiny-class"].found(5) == "5 classes have fewer than 20 images"
