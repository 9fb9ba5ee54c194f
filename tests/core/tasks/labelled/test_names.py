from __future__ import annotations

import os

from imgcls.core.tasks.labelled.names import composed, is_utf8


def test_names_are_compared_composed() -> None:
    assert composed("mu\u0308ll") == composed("m\u00fcll") == "m\u00fcll"


def test_bytes_that_are_no_utf8_can_be_no_label() -> None:
    assert is_utf8("m\u00fcll") and is_utf8("猫")
    assert not is_utf8(os.fsdecode(b"m\xfcll")) or os.name != "posix"
