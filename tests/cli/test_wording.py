"""What core calls a parameter, as the command line shows it."""

from __future__ import annotations

import pytest

from imgcls.cli.wording import option_names


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("leave out `weights`", "leave out --weights"),
        ("`val_split` and `validation` are two", "--val-split and --validation are two"),
        ("stopped by `max_seconds`; no `class_name`", "stopped by --max-time; no --class"),
        ("a file `Of mine`, ``, `x", "a file `Of mine`, ``, `x"),
        ("use `precision` float32", "use --precision float32"),
    ],
)
def test_parameters_become_options(message: str, shown: str) -> None:
    assert option_names(message) == shown
