"""Checkpoints of a training: two generations, each whole, hashed, and of one training only.

They lie in a folder beside the model while it is trained. Keras' own BackupAndRestore can
neither resume from a checkpoint that was cut off nor notice one that is damaged.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.models.tensor_file import open_tensor_file, write_tensor_file

log = logging.getLogger("imgcls")

_FORMAT = 1
_KEPT = 2
# A checkpoint, a file that was to take its name beside the folder, a half-written one.
_OURS = re.compile(r"[0-9]{6}\.safetensors|new\.(safetensors|csv|png)|\..*\.tmp")


@dataclass(frozen=True)
class Checkpoint:
    """A training after one of its epochs.

    Attributes:
        progress: what is known of it besides arrays; anything that JSON can hold.
        arrays: float32 or int64, by name.
    """

    progress: dict[str, Any]
    arrays: dict[str, np.ndarray]


class Checkpoints:
    """The checkpoints of one training."""

    def __init__(self, folder: Path, run: Mapping[str, Any]) -> None:
        """Name them.

        Args:
            folder: where they are kept.
            run: what the training depends on; checkpoints of another are refused.
        """
        self.folder = folder
        self._run = dict(run)
        self._number = 0

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint and delete all but it and the one before.

        Raises:
            OutputError: it cannot be written.
        """
        self.make_folder()
        self._number += 1
        description = {"format": _FORMAT, "run": self._run, "progress": checkpoint.progress}
        write_tensor_file(self._path(self._number), description, checkpoint.arrays)
        for path in self._paths()[:-_KEPT]:
            path.unlink(missing_ok=True)

    def make_folder(self) -> Path:
        """Make the folder if need be, and return it.

        Raises:
            OutputError: it cannot be made.
        """
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be made: {error.strerror}") from error
        return self.folder

    def load(self) -> Checkpoint | None:
        """Return the newest that is whole; a damaged one is warned of. None if there is none.

        Raises:
            UsageError: it belongs to a training with other options or images.
        """
        for path in reversed(self._paths()):
            try:
                opened = open_tensor_file(path)
                arrays = {name: opened.read(name) for name in opened.shapes}
            except ModelError as error:
                log.warning("%s; the checkpoint before it is used", error)
                path.unlink(missing_ok=True)
                continue
            if opened.description.get("format") != _FORMAT:
                continue
            if opened.description.get("run") != self._run:
                raise UsageError(
                    f"{self.folder}: is of a training with other options or images; go on with "
                    "those, or use `force` without `resume` to begin anew"
                )
            progress = opened.description.get("progress")
            if not isinstance(progress, dict):
                raise self.unfit()
            self._number = int(path.stem)
            return Checkpoint(progress, arrays)
        return None

    def unfit(self) -> UsageError:
        """Return the error of a checkpoint that is whole but holds no state of this training."""
        return UsageError(
            f"{self.folder}: its checkpoint does not hold the state of this training; "
            "use `force` without `resume` to begin anew"
        )

    def check_free(self) -> None:
        """Refuse to begin a training while an interrupted one could go on.

        Raises:
            OutputError: there is a checkpoint.
        """
        if self.exist():
            raise OutputError(
                f"{self.folder}: holds the checkpoints of an interrupted training; go on with "
                "`resume`, or begin anew with `force`"
            )

    def delete(self) -> None:
        """Delete them all, what a killed run left among them, and the folder."""
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if _OURS.fullmatch(path.name):
                    path.unlink(missing_ok=True)
            self.folder.rmdir()

    @contextlib.contextmanager
    def kept_if_interrupted(self) -> Iterator[None]:
        """Delete them if the block ends well; else say how to go on from them."""
        done = False
        try:
            yield
            done = True
        finally:
            if done:
                self.delete()
            elif not self.exist():
                self.delete()  # the folder, if it was made
            else:
                log.info("%s: the same command with `resume` goes on from here", self.folder)

    def exist(self) -> bool:
        """Whether there is one to go on from."""
        return bool(self._paths())

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.safetensors"

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]" * 6 + ".safetensors"))
