"""Build the package, install it where nothing else is, and try it there.

    python .ci/release_check.py            # fetches all libraries, as a user's pip does
    python .ci/release_check.py --borrow   # takes the libraries of this Python; a minute less

Exits with 1 and says what is wrong; what only an upload needs is listed at the end.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from email import message_from_string
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
METADATA = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
# What a clone has and the source package has not.
LEFT_OUT = (".github/", ".gitattributes")


class WrongError(Exception):
    """The package is not as it should be."""


def main() -> None:
    """Go through all checks, and say what was found."""
    parser = argparse.ArgumentParser(description="Check that a release would work.")
    parser.add_argument("--borrow", action="store_true", help="take the libraries of this Python")
    borrow = parser.parse_args().borrow
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            version = check(folder, borrow)
        except WrongError as error:
            sys.exit(f"release check: {error}")
    print(f"imgcls {version} builds, installs and works")
    for task in left_to_do(version, ROOT):
        print(f"before an upload: {task}")


def check(folder: Path, borrow: bool) -> str:
    """Build in a folder, look at what came out, install it and try it; return its version."""
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)])
    (wheel,) = folder.glob("*.whl")
    (source,) = folder.glob("*.tar.gz")
    # A checkout may be another user's, as in a container.
    tracked = run(["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files"]).splitlines()
    compare("the wheel", names_in_wheel(wheel), expected_in_wheel(tracked, wheel.name))
    compare("the source package", names_in_source(source), expected_in_source(tracked))
    version = stated_version(wheel)
    python = install(wheel, folder / "venv", borrow)
    try_it(python, version, folder / "elsewhere")
    return version


def expected_in_wheel(tracked: Sequence[str], wheel: str) -> set[str]:
    """Return the files of src/imgcls and those that a wheel says of itself."""
    about = "-".join(wheel.split("-")[:2]) + ".dist-info"
    modules = {name.removeprefix("src/") for name in tracked if name.startswith("src/")}
    return modules | {f"{about}/{name}" for name in METADATA}


def names_in_wheel(wheel: Path) -> set[str]:
    """Return the names of the files in it."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def expected_in_source(tracked: Sequence[str]) -> set[str]:
    """Return the files of a clone, and what a source package says of itself."""
    return {name for name in tracked if not name.startswith(LEFT_OUT)} | {"PKG-INFO"}


def names_in_source(source: Path) -> set[str]:
    """Return the names of the files in it, without the folder that holds them all."""
    with tarfile.open(source) as archive:
        return {member.name.partition("/")[2] for member in archive if member.isfile()}


def compare(what: str, found: set[str], expected: set[str]) -> None:
    """Raise if there is a file too few or too many."""
    if missing := sorted(expected - found):
        raise WrongError(f"{what} lacks {', '.join(missing)}")
    if foreign := sorted(found - expected):
        raise WrongError(f"{what} has what git has not: {', '.join(foreign)}")


def stated_version(wheel: Path) -> str:
    """Return the version, which is written down in one module only."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        stated = message_from_string(archive.read(name).decode())["Version"]
    module = (ROOT / "src/imgcls/core/version.py").read_text("utf-8")
    if f'__version__ = "{stated}"' not in module:
        raise WrongError(f"the wheel says {stated}, core/version.py does not")
    return stated


def install(wheel: Path, folder: Path, borrow: bool) -> Path:
    """Make a virtual environment with the wheel in it; return its Python."""
    run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    on_windows = os.name == "nt"
    python = folder / ("Scripts/python.exe" if on_windows else "bin/python")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    pip += ["--python", str(python), "install"]
    run([*pip, *(["--no-deps"] if borrow else []), str(wheel)])
    if borrow:
        site = run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
        libraries = {sysconfig.get_path("purelib"), *filter(is_site, sys.path)}
        (Path(site.strip()) / "borrowed.pth").write_text("\n".join(sorted(libraries)), "utf-8")
    return python


def is_site(path: str) -> bool:
    """Say whether a folder of the path holds installed libraries."""
    return Path(path).name in {"site-packages", "dist-packages"}


def try_it(python: Path, version: str, folder: Path) -> None:
    """Run what a new user runs, in a folder with one photo; raise if it does otherwise."""
    folder.mkdir()
    (folder / "cat.jpg").write_bytes((ROOT / "sample_images/cat.jpg").read_bytes())
    program = str(python.with_name("imgcls.exe" if os.name == "nt" else "imgcls"))
    home = run([str(python), "-c", "import imgcls; print(imgcls.__file__)"], folder).strip()
    if not Path(home).is_relative_to(python.parents[1]):
        raise WrongError(f"it was not the wheel that was tried but {home}")
    expect(run([program, "--version"], folder), version)
    expect(run([program, "models"], folder), "resnet50")
    expect(run([program, "predict", "cat.jpg", "--top", "1"], folder), "cat.jpg: tiger_cat (37.")
    expect(run([program, "heatmap", "cat.jpg", "-o", "why.png", "--panel"], folder), "why.png")
    run([program, "predict", "cat.jpg", "-o", "page.html"], folder)
    expect((folder / "page.html").read_text("utf-8"), "tiger_cat")
    code = "import imgcls; print(next(imgcls.classify('cat.jpg')).predictions[0].label)"
    expect(run([str(python), "-c", code], folder), "tiger_cat")


def expect(text: str, part: str) -> None:
    """Raise if a text does not have a part."""
    if part not in text:
        raise WrongError(f"{part!r} was expected in {text[:500]!r}")


def run(command: list[str], folder: Path | None = None) -> str:
    """Run a command without this repository on its path; return what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["IMGCLS_OFFLINE"] = "1"
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise WrongError(f"{' '.join(command)} gave {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def left_to_do(version: str, root: Path) -> list[str]:
    """Return what does not keep the package from working, but should not be published so."""
    tasks = []
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    if not {"Repository", "Changelog", "Issues"} <= project.get("urls", {}).keys():
        tasks.append("name the repository's address in [project.urls] and in README's `git clone`")
    changes = (root / "CHANGELOG.md").read_text("utf-8")
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE):
        tasks.append(f"give CHANGELOG.md's [Unreleased] the heading [{version}] and its date")
    return tasks


if __name__ == "__main__":
    main()
