from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcls.core.errors import OutputError, UsageError
from imgcls.core.models.tensor_file import write_tensor_file
from imgcls.core.tasks.training.checkpoints import Checkpoint, Checkpoints


def save(checkpoints: Checkpoints, *epochs: int) -> None:
    for epoch in epochs:
        arrays = {"a": np.full(3, epoch, np.float32), "steps": np.array([epoch], np.int64)}
        checkpoints.save(Checkpoint({"epoch": epoch}, arrays))


def test_two_generations(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    checkpoints = Checkpoints(folder, {"seed": 1})
    assert checkpoints.load() is None
    save(checkpoints, 1, 2, 3)
    assert [path.name for path in sorted(folder.iterdir())] == [
        *("000002.safetensors", "000003.safetensors"),
    ]
    again = Checkpoints(folder, {"seed": 1})
    loaded = again.load()
    assert loaded is not None and loaded.progress == {"epoch": 3}
    assert loaded.arrays["a"].tolist() == [3, 3, 3]
    assert loaded.arrays["steps"].tolist() == [3]
    save(again, 4)
    assert sorted(path.stem for path in folder.iterdir()) == ["000003", "000004"]
    again.delete()
    assert not folder.exists()


@pytest.mark.parametrize("keep", [0, 40, -1])
def test_a_damaged_one_gives_way_to_the_one_before(
    tmp_path: Path, keep: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    checkpoints = Checkpoints(tmp_path / "c", {})
    save(checkpoints, 1, 2)
    newest = tmp_path / "c" / "000002.safetensors"
    newest.write_bytes(newest.read_bytes()[:keep])
    loaded = checkpoints.load()
    assert loaded is not None and loaded.progress == {"epoch": 1}
    assert "000002.safetensors" in caplog.text
    assert "the checkpoint before it is used" in caplog.text
    (tmp_path / "c" / "000001.safetensors").write_bytes(b"")
    assert checkpoints.load() is None


def test_of_another_training(tmp_path: Path) -> None:
    save(Checkpoints(tmp_path, {"seed": 1}), 1)
    with pytest.raises(UsageError, match="other options or images"):
        Checkpoints(tmp_path, {"seed": 2}).load()


def test_an_interrupted_training_is_in_the_way_of_another(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c", {"seed": 1})
    checkpoints.check_free()
    save(checkpoints, 1)
    with pytest.raises(OutputError, match="go on with `resume`, or begin anew with `force`"):
        checkpoints.check_free()


@pytest.mark.parametrize(
    "description",
    [{"format": 1}, {"format": 1, "run": {}}, {"format": 1, "run": {}, "progress": 3}],
)
def test_malformed(tmp_path: Path, description: dict[str, Any]) -> None:
    write_tensor_file(tmp_path / "000001.safetensors", description, {"a": np.zeros(1, np.float32)})
    with pytest.raises(UsageError, match="begin anew"):
        Checkpoints(tmp_path, {}).load()


def test_what_a_killed_run_left_is_deleted_too(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c", {})
    save(checkpoints, 1)
    for name in ("new.csv", ".new.png.imgcls-1-00000000.tmp", "mine.txt"):
        (tmp_path / "c" / name).write_bytes(b"")
    checkpoints.delete()
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["mine.txt"]
    (tmp_path / "c" / "mine.txt").unlink()
    checkpoints.delete()
    assert not (tmp_path / "c").exists()


def test_checkpoints_stay_where_a_training_does_not_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("imgcls"), "propagate", True)
    caplog.set_level(logging.INFO, "imgcls")
    checkpoints = Checkpoints(tmp_path / "c", {})
    with pytest.raises(KeyboardInterrupt), checkpoints.kept_if_interrupted():
        checkpoints.make_folder()  # and no epoch is done
        raise KeyboardInterrupt
    assert not (tmp_path / "c").exists() and caplog.messages == []
    with pytest.raises(KeyboardInterrupt), checkpoints.kept_if_interrupted():
        save(checkpoints, 1)
        raise KeyboardInterrupt
    assert caplog.messages == [
        f"{tmp_path / 'c'}: the same command with `resume` goes on from here"
    ]
    assert checkpoints.exist()
    with checkpoints.kept_if_interrupted():
        pass
    assert not (tmp_path / "c").exists()
