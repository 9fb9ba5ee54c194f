"""Compile a network for LiteRT once, keep it in the cache, and check it before each use.

The work is done by a child process (`convert.py`), so a converter that crashes or prints takes
nothing down with it, and its memory is given back. What the cache holds: `entries.py`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from imgcls.core.cache import cache_part
from imgcls.core.engines.compiled.entries import (
    CALIBRATION_FILE,
    ENTRY_FILE,
    CompiledModel,
    Unsupported,
    UnusableEntryError,
    all_facts,
    entry_folder,
    made_of,
    read_entry,
)
from imgcls.core.engines.engine import Precision
from imgcls.core.errors import ImageError, ModelError, UsageError, WeightsError
from imgcls.core.models.keras_weights import check_weights_file
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.weights import Network
from imgcls.core.pixels.sources import Source
from imgcls.core.progress import progress

if TYPE_CHECKING:
    import numpy as np

__all__ = ["CALIBRATION_IMAGES", "CompiledModel", "Unsupported", "compiled_model", "entry_folder"]

log = logging.getLogger("imgcls")

# How many photos int8 is calibrated on.
CALIBRATION_IMAGES = 100
# With fewer, which numbers occur is rather a guess.
_FEW_IMAGES = 20
# Compiling takes this many times the size of the weights in memory (VGG16: 10 GB).
_MEMORY_FACTOR = 20


def compiled_model(
    network: Network,
    precision: Precision = "float32",
    calibration: Iterable[Source] | None = None,
    *,
    anew: bool = False,
) -> CompiledModel | Unsupported:
    """Return the compiled form of a network, made now if it is not in the cache.

    Args:
        network: what is compiled.
        precision: of weights and activations.
        calibration: what int8 is calibrated on: the first 100 that can be read, of which none
            is read where the model is in the cache.
        anew: make it even if it is in the cache.

    Raises:
        WeightsError: the weights do not fit the network.
        ModelError: the compiler process was killed.
        UsageError: int8 is to be made and there is nothing to calibrate it on.
    """
    made = made_of(network, precision)
    folder = entry_folder(network, precision)
    with contextlib.suppress(UnusableEntryError):
        entry = None if anew else read_entry(folder, made)
        if entry is not None:
            _warn_of_few(network.name, entry)
            return entry
    if lacking := memory_lacking(network.spec):
        return Unsupported(lacking)
    folder = cache_part("compiled") / folder.name
    with _locked(folder):
        try:
            entry = None if anew else read_entry(folder, made)  # another process made it meanwhile?
        except UnusableEntryError as reason:
            entry = None
            log.warning("%s: the compiled model %s; it is made anew", folder, reason)
        return entry or _make(network, precision, folder, calibration)


def _warn_of_few(name: str, entry: CompiledModel | Unsupported) -> None:
    """Say it where an earlier run calibrated int8 on next to nothing."""
    if isinstance(entry, CompiledModel) and "calibration" in entry.facts:
        images = entry.facts["calibration"]["images"]
        if images < _FEW_IMAGES:
            log.warning(
                "%s: int8 was calibrated on %d image%s only; better: imgcls models compile %s "
                "--precision int8 --calibrate DIR",
                *(name, images, "" if images == 1 else "s", name),
            )


def memory_lacking(spec: ModelSpec) -> str:
    """Say how much memory compiling takes if this machine has less; empty if it has enough."""
    needed = _MEMORY_FACTOR * 4 * spec.parameters
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return ""  # no such question on Windows
    return f"compiling it takes about {needed / 2**30:.0f} GB of memory" if there < needed else ""


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    import filelock

    with filelock.FileLock(folder.with_name(f".{folder.name}.lock")):
        yield


def _make(
    network: Network, precision: Precision, folder: Path, calibration: Iterable[Source] | None
) -> CompiledModel | Unsupported:
    import shutil

    check_weights_file(network.weights)  # said at once, not when a child has started Keras
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    try:
        if precision == "int8":
            _save_calibration(network, calibration, temporary)
        else:
            log.info("%s: %s, once", network.name, _occasion(network, folder))
        _run_child(network, precision, temporary)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    try:
        entry = read_entry(folder, made_of(network, precision))
    except UnusableEntryError:
        entry = None
    if entry is None:
        raise ModelError(f"{folder}: the compiled model changed while it was made; try again")
    if isinstance(entry, CompiledModel) and precision == "int8":
        log.info(
            "%s: int8 names the same class as float32 for %.0f%% of them",
            network.name,
            100 * entry.facts["agreement"],
        )
    return entry


def _occasion(network: Network, folder: Path) -> str:
    """Say why a model is compiled now."""
    made = made_of(network, "float32")
    for facts in all_facts():
        same = all(facts.get(key) == made[key] for key in ("model", "precision", "weights_sha256"))
        older = facts.get("imgcls") or "another version"
        if same and older != made["imgcls"]:
            return f"it was compiled by imgcls {older}; compiling it anew for this version"
    return "compiling it for this machine"


def _save_calibration(network: Network, calibration: Iterable[Source] | None, folder: Path) -> None:
    """Leave the photos for the child process, as they enter the network before scaling."""
    import numpy as np

    pixels = list(_calibration_pixels(network, calibration or ()))
    if not pixels:
        raise UsageError(
            f"{network.name}: no photo to calibrate int8 on; run imgcls models compile "
            f"{network.name} --precision int8 --calibrate DIR"
        )
    log.info(
        "%s: calibrating int8 on %s, once",
        network.name,
        f"the first {len(pixels)} images that can be read" if len(pixels) > 1 else "one image",
    )
    np.save(folder / CALIBRATION_FILE, np.stack(pixels))


def _calibration_pixels(network: Network, calibration: Iterable[Source]) -> Iterator[np.ndarray]:
    """Yield the first photos that can be read, uint8 (size, size, 3)."""
    from imgcls.core.pixels.images import load_image

    # Standard input can be read only once, and that is for its own record.
    sources = (source for source in calibration if source.kind != "stdin")
    found = 0
    for source in progress(sources, "calibration photos", CALIBRATION_IMAGES):
        with contextlib.suppress(ImageError):
            yield load_image(source, network.spec.preprocessing).pixels
            found += 1
        if found == CALIBRATION_IMAGES:
            return


def _run_child(network: Network, precision: Precision, folder: Path) -> None:
    """Compile in a child process; what it prints is shown only with `-v`."""
    import subprocess

    weights = os.fspath(network.weights)
    request = json.dumps([network.name, weights, network.stored, precision, os.fspath(folder)])
    verbose = log.isEnabledFor(logging.DEBUG)
    child = subprocess.run(
        # -P: a numpy.py in the working folder is none of ours.
        [
            sys.executable,
            "-P",
            "-c",
            "from imgcls.core.engines.compiled.convert import main; main()",
        ],
        input=request.encode(),
        stdout=None if verbose else subprocess.DEVNULL,
        stderr=None if verbose else subprocess.PIPE,
        check=False,
    )
    (folder / CALIBRATION_FILE).unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        outcome = json.loads((folder / ENTRY_FILE).read_bytes())
        if "weights_error" in outcome:
            raise WeightsError(outcome["weights_error"])
        return
    last = (child.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2]
    if child.returncode < 0:
        last = f"killed by signal {-child.returncode}; is there enough memory?"
    raise ModelError(
        f"{network.name}: cannot be compiled ({last}); -v shows more, --engine keras avoids it"
    )
