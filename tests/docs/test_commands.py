"""Each command that a page of the documentation shows is one that there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from imgcls.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = {"|", ">", "<", "&&", "||", ";"}  # where a command ends


def commands(page: Path) -> list[str]:
    text = page.read_text("utf-8").replace("\\\n", " ")
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return re.findall(r"^(?:\$ )?imgcls (.+)", "\n".join(blocks), re.MULTILINE)


COMMANDS = [(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in commands(page)]


def test_there_are_many_in_both_languages() -> None:
    assert len(COMMANDS) > 100
    assert {"docs/training.md", "docs/zh-CN/training.md"} <= {page for page, _ in COMMANDS}


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_it_has_no_option_or_choice_that_there_is_not(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    end = next((place for place, word in enumerate(words) if word in SHELL), len(words))
    name, *arguments = words[:end]
    above = click.Context(cli, **cli.context_settings)
    command = cli.get_command(above, name)
    assert command is not None
    if isinstance(command, click.Group):
        name, *arguments = arguments or ["list"]
        command = command.commands[name]
    command.make_context(name, arguments, parent=above)
