"""The tests mirror the source: each module with logic has a test file of its own."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SOURCE = TESTS.parent / "src" / "imgcls"
# They only start something, or hold one constant.
WITHOUT_LOGIC = {"__main__.py", "cli/start.py", "core/version.py"}


def test_each_module_has_its_test_file() -> None:
    modules = {path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if path.stem != "__init__"}
    assert len(modules) > 150
    lacking = {
        module.as_posix()
        for module in modules
        if not (TESTS / module.parent / f"test_{module.name}").is_file()
    }
    assert lacking == WITHOUT_LOGIC
