"""Sorting into folders beside a growing file, ended at every step and gone on with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from imgcls.core.pixels.sources import expand
from imgcls.core.tasks.classify.placing import SortMode
from imgcls.core.tasks.classify.record_file import RecordFile
from imgcls.core.tasks.classify.sorting import Sorter
from tests.core.tasks.classify.sorted_photos import LABELS, make, ok, tree

# What Python tells an audit hook before it does it.
_STEPS = ("open", "os.", "shutil.")


def _run(folder: Path, mode: SortMode) -> None:
    out, target = str(folder / "x.jsonl"), str(folder / "out")
    with RecordFile(out, header="", options="", resume=True, moved=mode == "move") as file:
        sorter = Sorter(target, LABELS, mode, resume=True)
        todo = file.todo(expand([str(folder / "in")]), sorter.complete)
        for record in sorter.sort(ok(source.name) for source in todo):
            file.append(f"{Path(record.path).name}\n")


def _run_until(step: int, folder: Path, mode: SortMode) -> int:
    """Run in a process of its own that dies before the step of that number."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0

    def die(event: str, _: object) -> None:
        nonlocal count
        count += event.startswith(_STEPS)
        if count == step:
            os._exit(9)

    sys.addaudithook(die)
    try:
        _run(folder, mode)
    except BaseException:
        os._exit(1)
    os._exit(0)


@pytest.mark.linux
@pytest.mark.parametrize(
    "mode",
    ["copy", *(pytest.param(m, marks=pytest.mark.slow) for m in ("link", "symlink", "move"))],
)
def test_nothing_is_lost_or_repeated_wherever_it_ends(mode: SortMode, tmp_path: Path) -> None:
    names = ["a.jpg", "b.jpg", "c.jpg"]
    step, code = 0, 9
    while code == 9:
        step += 1
        folder = tmp_path / str(step)
        make(folder / "in", *names)
        code = _run_until(step, folder, mode)
        _run(folder, mode)
        assert (folder / "x.jsonl").read_text().split() == names, step
        assert tree(folder / "out") == {f"cat/{name}": name.encode() for name in names}, step
        left = [] if mode == "move" else names
        assert sorted(path.name for path in (folder / "in").iterdir()) == left, step
    assert code == 0
    assert step > 20
