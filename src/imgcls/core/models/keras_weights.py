"""Weights files that Keras wrote, looked at without Keras."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imgcls.core.models.hdf5_file import check_tensors, child, has_names, is_hdf5, open_hdf5

if TYPE_CHECKING:
    import h5py


def check_weights_file(path: Path) -> None:
    """Refuse an HDF5 file that no network could use, before Keras is started for it.

    Other files are left to what reads them.

    Raises:
        WeightsError: it is damaged, holds something else than tensors of finite numbers, or
            points out of itself.
    """
    if is_hdf5(path):
        with open_hdf5(path) as file:
            check_tensors(weights_group(file)[0])


def weights_group(file: h5py.File) -> tuple[h5py.Group, bool]:
    """Return where a file keeps its weights, and whether they are in Keras' older format."""
    if has_names(file, "layer_names"):
        return file, True
    whole = child(file, "model_weights")  # a whole model, not its weights alone
    if whole is not None and has_names(whole, "layer_names"):
        return whole, True
    return file, False
