"""The commands and the Python of the README do what it says."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imgcls.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text("utf-8")
SESSION = re.compile(r"```console\n\$ (.*?)\n(.*?)```", re.DOTALL)
SESSIONS = SESSION.findall(README)
IN_CHINESE = [session for session in SESSION.findall(CHINESE) if "--labels zh" in session[0]]
Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


def test_there_are_sessions() -> None:
    assert len(SESSIONS) >= 3


def test_the_chinese_readme_shows_the_same() -> None:
    assert [
        session for session in SESSION.findall(CHINESE) if session not in SESSIONS
    ] == IN_CHINESE
    assert set(SESSIONS) <= set(SESSION.findall(CHINESE))
    commands = re.compile(r"^imgcls .*", re.MULTILINE)
    shown = {line.partition("#")[0].strip() for line in commands.findall(CHINESE)}
    assert shown <= {line.partition("#")[0].strip() for line in commands.findall(README)}


@pytest.mark.parametrize(("command", "output"), [*SESSIONS, *IN_CHINESE])
def test_console(command: str, output: str, imgcls: Imgcls, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sample_images", tmp_path / "sample_images")
    program, *arguments = shlex.split(command)
    assert program == "imgcls"
    done = imgcls(*arguments)
    assert (done.returncode, done.stdout) == (0, output)


def test_python(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shutil.copytree(ROOT / "sample_images", tmp_path / "sample_images")
    check = "assert [record.predictions[0].label for record in records] == ['tiger_cat']\n"
    done = subprocess.run(
        [sys.executable, "-c", code + check], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first = done.stdout.decode().splitlines()[0]
    assert re.fullmatch(r"sample_images.cat\.jpg tiger_cat 0\.37\d+", first)


def test_every_command_is_named() -> None:
    for name in COMMANDS:
        assert f"imgcls {name}" in README


def test_every_option_that_is_named_exists(imgcls: Imgcls) -> None:
    helps = "".join(imgcls(name, "--help").stdout for name in COMMANDS) + imgcls("--help").stdout
    helps += "".join(imgcls("models", name, "--help").stdout for name in ("import", "info"))
    known = set(re.findall(r"--[a-z][a-z-]+", helps))
    assert set(re.findall(r"--[a-z][a-z-]+", README)) - known == set()


def test_every_link_leads_somewhere() -> None:
    pages = [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    for page in pages:
        prose = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#:]+)\)", prose):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
