"""What core calls a parameter, as the command line shows it."""

from __future__ import annotations

import pytest

from imgcls.cli.wording import counted, option_names, rate_text


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


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (184.6, "185 images/s"),
        (9.96, "10.0 images/s"),
        (5 / 15, "0.3 images/s"),
        (0.02, "0.02 images/s"),
    ],
)
def test_rates_say_something(rate: float, text: str) -> None:
    assert rate_text(rate, "images") == text


def test_numbers_with_their_nouns() -> None:
    assert [counted(n, "finding") for n in (0, 1, 2)] == ["0 findings", "1 finding", "2 findings"]
