from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.options import ClassifyOptions, SortOptions
from tests.core.tasks.classify.sorted_photos import make


@pytest.mark.posix
def test_into_itself(tmp_path: Path) -> None:
    make(tmp_path, "in/sub/x.jpg")
    (tmp_path / "alias").symlink_to(tmp_path / "in")
    folder = str(tmp_path / "in")
    for target in ("in", "in/out", "in/sub/../sub", "alias", "alias/new/deep"):
        with pytest.raises(UsageError, match="which is to be sorted"):
            SortOptions(str(tmp_path / target)).check_inputs([folder])
    SortOptions(str(tmp_path / "in2")).check_inputs([folder])
    photo = str(tmp_path / "in" / "sub" / "x.jpg")
    SortOptions(str(tmp_path / "out")).check_inputs([photo, "*.jpg"])
    with pytest.raises(UsageError, match="is a file"):
        SortOptions(photo)


def test_options_check_themselves(tmp_path: Path) -> None:
    for wrong in ({"sort_mode": "move"}, {"dry_run": True}):
        with pytest.raises(UsageError, match="`sort_mode` and `dry_run` go with `sort_into`"):
            SortOptions(**wrong)  # type: ignore[arg-type]
    assert SortOptions(str(tmp_path), "move").moves
    assert not SortOptions(str(tmp_path), "move", dry_run=True).moves


@pytest.mark.parametrize(
    "wrong",
    [
        {"top": -1},
        {"min_confidence": 1.5},
        {"min_confidence": -0.1},
        {"min_familiarity": 2},
        {"workers": 0},
    ],
)
def test_a_number_out_of_range(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(UsageError, match=f"`{name}` must be"):
        ClassifyOptions(**wrong)  # type: ignore[arg-type]
