"""Weights files that Keras wrote, looked at without Keras."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from imgcls.core.errors import WeightsError
from imgcls.core.models.hdf5_file import check_tensors, child, has_names, is_hdf5, open_hdf5
from imgcls.core.models.torch_checkpoint import read_checkpoint
from imgcls.core.models.weights import Network

if TYPE_CHECKING:
    import h5py

# What a look at a file may take, beside the time to read it at this speed.
_MOST_MEMORY = 500 * 2**20  # bytes
_SECONDS = 2
_BYTES_A_SECOND = 100 * 2**20


def check_weights(network: Network) -> None:
    """Refuse a network's weights that cannot be read, before Keras is started.

    Raises:
        WeightsError: as `check_weights_file`, or the checkpoint is damaged.
    """
    check_weights_file(network.weights)
    is_checkpoint = network.spec.builder == "EfficientNetLite" and not network.stored
    if is_checkpoint and not is_hdf5(network.weights):
        read_checkpoint(network.weights)


def check_weights_file(path: Path) -> None:
    """Refuse an HDF5 file that no network could use, before Keras is started.

    HDF5 itself can loop or crash on a damaged file, so a process of its own looks at it, with
    limits on time and memory where the system has them. Other files are left to what reads them.

    Raises:
        WeightsError: it is damaged, holds something else than tensors of finite numbers, or
            points out of itself.
    """
    if is_hdf5(path):
        facts = os.stat(path)
        reason = _refusal(path.absolute(), facts.st_size, facts.st_mtime_ns)
        if reason:
            raise WeightsError(f"{path}: {reason}")


def weights_group(file: h5py.File) -> tuple[h5py.Group, bool]:
    """Return where a file keeps its weights, and whether they are in Keras' older format."""
    if has_names(file, "layer_names"):
        return file, True
    whole = child(file, "model_weights")  # a whole model, not its weights alone
    if whole is not None and has_names(whole, "layer_names"):
        return whole, True
    return file, False


@cache
def _refusal(path: Path, size: int, modified: int) -> str:
    """Say why a file is not used; empty if it may be. Looked at once while it is as it was."""
    import subprocess

    seconds = _SECONDS + size // _BYTES_A_SECOND
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-P",  # a numpy.py in the working folder is none of ours
                "-c",
                "from imgcls.core.models.keras_weights import main; main()",
            ],
            input=json.dumps([os.fspath(path), seconds]).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30 + 10 * seconds,  # of a clock that runs on while others compute
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "takes too long to read; it is not used"
    if done.returncode == 0:
        return str(json.loads(done.stdout)).removeprefix(f"{path}: ")
    return f"is damaged: HDF5 cannot read it within {seconds} s; it is not used"


def main() -> None:
    """Look at the file that standard input names; print why it is refused, or an empty text."""
    path, seconds = json.load(sys.stdin)
    _limit(seconds)
    try:
        look_at(Path(path))
        reason = ""
    except WeightsError as error:
        reason = str(error)
    json.dump(reason, sys.stdout)


def look_at(path: Path) -> None:
    """Read all that Keras would read of a weights file, in this process.

    Raises:
        WeightsError: as `check_weights_file`.
    """
    with open_hdf5(path) as file:
        group, _ = weights_group(file)
        check_tensors(group)
        _read_attributes("", group)
        group.visititems(_read_attributes)


def _read_attributes(_: str, entry: h5py.HLObject) -> None:
    for name in entry.attrs:
        entry.attrs[name]


def _limit(seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    for limit in (resource.RLIMIT_DATA, resource.RLIMIT_AS):
        try:
            resource.setrlimit(limit, (_MOST_MEMORY, _MOST_MEMORY))
            return
        except (OSError, ValueError):  # macOS has the one and not the other
            continue
