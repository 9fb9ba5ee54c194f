"""What core calls a parameter, as the command line shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import imgcls.core
from imgcls.cli.main import cli
from imgcls.cli.wording import option_names, rate_text


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("leave out `weights`", "leave out --weights"),
        ("name others with `layers`", "name others with --layer"),
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
    assert rate_text(rate, "image") == text


def core_texts() -> Iterator[tuple[str, str]]:
    """Yield the texts of core that are no docstrings, with the place of each."""
    core = Path(imgcls.core.__path__[0])
    for path in sorted(core.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        passed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):  # what holds comes before what it holds
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(node, ast.JoinedStr):
                parts = [part for part in node.values if isinstance(part, ast.Constant)]
                passed.update(map(id, parts))
                text = "…".join(str(part.value) for part in parts)
            if isinstance(text, str) and id(node) not in passed:
                yield f"{path.relative_to(core)}:{node.lineno}", text


def all_options(command: click.Command) -> set[str]:
    names = {name for parameter in command.params for name in parameter.opts}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            names |= all_options(inner)
    return names


def test_core_names_no_option_but_parameters_that_are_options() -> None:
    options = all_options(cli)
    for place, text in core_texts():
        no_command = re.sub(r"(imgcls|pip) [a-z][^;]*", "", text)
        assert not re.search(r"(?<![\w-])--[a-z]", no_command), (place, text)
        for parameter in re.findall(r"`[a-z][a-z0-9_]*`", text):
            shown = option_names(parameter)
            assert shown in options or shown.isupper(), (place, text)
