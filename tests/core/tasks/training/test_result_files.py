"""The files of a training: their names, and which may be replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcls.core.errors import OutputError, UsageError
from imgcls.core.tasks.training.checkpoints import Checkpoint
from imgcls.core.tasks.training.history import HEADER
from imgcls.core.tasks.training.result_files import ResultFiles


@pytest.fixture
def files(tmp_path: Path) -> ResultFiles:
    return ResultFiles(tmp_path / "my.v2.safetensors")


def refused(files: ResultFiles, *, force: bool = False) -> str:
    with pytest.raises(OutputError) as raised:
        files.check_free(force=force)
    return str(raised.value)


def test_the_others_stand_beside_the_model(files: ResultFiles, tmp_path: Path) -> None:
    assert files.table == tmp_path / "my.v2.history.csv"
    assert files.plot == tmp_path / "my.v2.history.png"
    assert files.checkpoints({}).folder == tmp_path / "my.v2.safetensors.checkpoints"
    files.check_free(force=False)


def test_checkpoints_are_of_the_run_that_they_are_asked_for(files: ResultFiles) -> None:
    files.checkpoints({"seed": 1}).save(Checkpoint({"epoch": 1}, {}))
    assert files.checkpoints({"seed": 1}).exist()
    with pytest.raises(UsageError, match="with other options or images"):
        files.checkpoints({"seed": 2}).load()


@pytest.mark.parametrize("name", ["my", "my.h5", "my.safetensors.bak", "my.SAFETENSORS"])
def test_another_ending(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as raised:
        ResultFiles(tmp_path / name).check_free(force=True)
    assert str(raised.value) == f"{tmp_path / name}: a model file ends in .safetensors"


def test_no_such_folder(tmp_path: Path) -> None:
    assert refused(ResultFiles(tmp_path / "gone" / "my.safetensors"), force=True) == (
        f"{tmp_path / 'gone'}: no such folder; make it first"
    )


def test_a_model_is_replaced_only_by_force(files: ResultFiles) -> None:
    files.model.write_bytes(b"a model")
    assert refused(files) == (
        f"{files.model}: exists; name another file, or use `force` to overwrite it"
    )
    files.check_free(force=True)


def test_a_history_is_replaced_and_a_file_of_a_users_only_by_force(files: ResultFiles) -> None:
    files.table.write_text(",".join(HEADER) + "\n")
    files.plot.write_bytes(b"\x89PNG\r\n")
    files.check_free(force=False)
    for path in (files.table, files.plot):
        before = path.read_bytes()
        path.write_bytes(b"a user's own")
        assert refused(files) == f"{path}: exists and is no training history; use `force`"
        files.check_free(force=True)
        path.write_bytes(before)


@pytest.mark.parametrize("which", ["model", "table", "plot"])
def test_a_folder_of_that_name_is_in_the_way_of_force_too(files: ResultFiles, which: str) -> None:
    path = getattr(files, which)
    path.mkdir()
    assert refused(files, force=True) == f"{path}: is a folder; name another model file"
