"""A release would work: .ci/release_check.py tells a good package from a bad one."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

import imgcls
from tests.docs.scripts import load_script

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".ci" / "release_check.py"
ABOUT = "imgcls-1.0.dist-info"
TRACKED = ["README.md", ".github/workflows/ci.yml", "src/imgcls/__init__.py", "src/imgcls/py.typed"]


@pytest.fixture(scope="module")
def release_check() -> ModuleType:
    return load_script(".ci/release_check.py")


def wheel_with(folder: Path, *names: str, version: str = "1.0") -> Path:
    about = ("WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    wheel = folder / "imgcls-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{ABOUT}/METADATA", f"Metadata-Version: 2.4\nVersion: {version}\n")
        for name in (*names, *(f"{ABOUT}/{each}" for each in about)):
            archive.writestr(name, "")
    return wheel


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (("imgcls/__init__.py", "imgcls/py.typed"), None),
        (("imgcls/__init__.py",), "the wheel lacks imgcls/py.typed"),
        (
            ("imgcls/__init__.py", "imgcls/py.typed", "tests/test_api.py"),
            "the wheel has what git has not: tests/test_api.py",
        ),
    ],
)
def test_files_of_a_wheel(
    names: tuple[str, ...], wrong: str | None, tmp_path: Path, release_check: ModuleType
) -> None:
    wheel = wheel_with(tmp_path, *names)
    found = release_check.names_in_wheel(wheel)
    expected = release_check.expected_in_wheel(TRACKED, wheel.name)
    if wrong is None:
        release_check.compare("the wheel", found, expected)
    else:
        with pytest.raises(release_check.WrongError) as error:
            release_check.compare("the wheel", found, expected)
        assert str(error.value) == wrong


def test_the_version_is_that_of_one_module(tmp_path: Path, release_check: ModuleType) -> None:
    wheel = wheel_with(tmp_path, version=imgcls.__version__)
    assert release_check.stated_version(wheel) == imgcls.__version__
    with pytest.raises(release_check.WrongError, match=r"the wheel says 9\.9"):
        release_check.stated_version(wheel_with(tmp_path, version="9.9"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["dynamic"] == ["version"] and "version" not in project


@pytest.mark.parametrize(("heading", "tasks"), [("## [1.0] - 2026-11-25", 0), ("## [1.0]", 1)])
def test_what_is_left_to_do(
    heading: str, tasks: int, tmp_path: Path, release_check: ModuleType
) -> None:
    urls = "".join(f'{name} = "https://example.org"\n' for name in ("Repository", "Changelog"))
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n")
    (tmp_path / "pyproject.toml").write_text(f"[project]\n[project.urls]\n{urls}")
    assert len(release_check.left_to_do("1.0", tmp_path)) == tasks + 1  # no Issues
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\n[project.urls]\n{urls}Issues = "…"\n', "utf-8"
    )
    assert len(release_check.left_to_do("1.0", tmp_path)) == tasks


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="compares with the files in git")
def test_the_package_builds_installs_and_works(compiled_default: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--borrow"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = f"imgcls {imgcls.__version__} builds, installs and works"
    assert done.stdout.splitlines()[0] == expected
