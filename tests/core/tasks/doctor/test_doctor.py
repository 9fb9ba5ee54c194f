"""What is found wrong with a machine, and what is told of it."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from imgcls.core.tasks.doctor.doctor import check_up


@pytest.mark.usefixtures("compiled_default")
def test_a_sound_machine() -> None:
    found = check_up()
    assert found.troubles == ()
    assert found.facts["default model"].startswith("efficientnet-lite0 on litert, opened and run")
    assert found.packages["numpy"] == importlib.metadata.version("numpy")
    assert "pytest" not in found.packages and "pyarrow" in found.packages
    assert sys.executable in found.facts["Python"]


def test_before_the_first_use_nothing_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "new"))
    found = check_up()
    assert found.facts["default model"] == "efficientnet-lite0, to be compiled at its first use"
    assert not list((tmp_path / "new" / "compiled").glob("*"))


@pytest.mark.posix
def test_each_trouble_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    other = tmp_path / "bin" / "imgcls"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    absent = importlib.metadata.PackageNotFoundError

    def version(name: str) -> str:
        if name == "jinja2":
            raise absent
        return "1"

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("PATH", str(other.parent))
    monkeypatch.setenv("https_proxy", "http://me:secret@proxy:80/")
    with pytest.warns(UserWarning, match="the cache cannot be written"):
        found = check_up()
    cache = tmp_path / "file" / "cache"
    assert found.troubles[0] == "jinja2 is not installed; run: pip install jinja2"
    assert f"the command imgcls is {other}, not the one of this Python" in found.troubles[1]
    assert found.troubles[2] == (
        f"{cache}: the cache cannot be there, {tmp_path / 'file'} is a file; set IMGCLS_CACHE"
    )
    assert found.environment["https_proxy"] == "http://…@proxy:80/"
    assert found.environment["IMGCLS_CACHE"] == str(cache)
