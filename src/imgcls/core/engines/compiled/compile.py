"""Compile a network for LiteRT once, keep it in the cache, and check it before each use.

The work is done by a child process (`convert.py`), so a converter that crashes or prints takes
nothing down with it, and its memory is given back. What the cache holds: `folder.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from imgcls.core.arrays import Float32Array
from imgcls.core.cache import cache_error, cache_lock, cache_part
from imgcls.core.cache_clearing import COMPILED, compiled_lock
from imgcls.core.engines.compiled.folder import (
    CALIBRATION_FILE,
    EXIT_UNWRITABLE,
    FACTS_FILE,
    KERNEL_FILE,
    CompiledModel,
    Unsupported,
    UnusableError,
    all_facts,
    compiled_folder,
    made_of,
    read_compiled,
    read_facts,
)
from imgcls.core.engines.engine import Precision
from imgcls.core.errors import (
    ModelError,
    OutputError,
    UsageError,
    WeightsError,
)
from imgcls.core.files import read_regular, remove, write_atomically
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.weights import Network
from imgcls.core.pixels.sources import Source
from imgcls.core.progress import working
from imgcls.core.words import duration

__all__ = ["CompiledModel", "Unsupported", "compiled_folder", "compiled_model"]

log = logging.getLogger("imgcls")

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
    folder = compiled_folder(network, precision)
    with contextlib.suppress(UnusableError):
        kept = None if anew else read_compiled(folder, made)
        if kept is not None:
            return kept
    if lacking := memory_lacking(network.spec):
        return Unsupported(lacking)
    folder = cache_part(COMPILED) / folder.name
    with cache_lock(compiled_lock(folder.name)):
        kept = None
        try:
            if not anew:
                kept = read_compiled(folder, made)  # made by another process meanwhile
        except UnusableError as reason:
            log.warning("%s: the compiled model %s; it is made anew", folder, reason)
        try:
            return kept or _make(network, precision, folder, calibration, keep=anew)
        except OSError as error:
            raise cache_error(folder, error) from error


def whole_kernel(network: Network, compiled: CompiledModel) -> Float32Array:
    """Return the kernel (d, classes) of a compiled network's linear classifier.

    One that is damaged is taken from the network compiled anew as float32, with a warning.

    Raises:
        ModelError: the network cannot be compiled any more.
    """
    try:
        return compiled.kernel
    except UnusableError as reason:
        log.warning("%s: the compiled model %s; it is made anew", compiled.folder, reason)
    is_float32 = compiled.facts["precision"] == "float32"
    whole = compiled_model(network, anew=is_float32)
    if isinstance(whole, Unsupported):
        raise ModelError(f"{network.title}: cannot be compiled ({whole.reason})")
    if is_float32:
        return whole.kernel
    kernel = whole_kernel(network, whole)
    with contextlib.suppress(OSError, OutputError):  # else it is done again in the next run
        content = read_regular(whole.folder / KERNEL_FILE)
        if hashlib.sha256(content).hexdigest() == compiled.facts["kernel_sha256"]:
            remove(compiled.folder / KERNEL_FILE)
            write_atomically(compiled.folder / KERNEL_FILE, content)
    return kernel


def memory_lacking(spec: ModelSpec) -> str:
    """Say how much memory compiling takes if this machine has less; empty if it has enough."""
    needed = _MEMORY_FACTOR * 4 * spec.parameters
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return ""  # no such question on Windows
    return f"compiling it takes about {needed / 2**30:.0f} GB of memory" if there < needed else ""


def _make(
    network: Network,
    precision: Precision,
    folder: Path,
    calibration: Iterable[Source] | None,
    *,
    keep: bool,
) -> CompiledModel | Unsupported:
    """Compile a network into its folder, or for this run only; the caller holds its lock.

    Args:
        network: what is compiled.
        precision: of weights and activations.
        folder: where it is kept.
        calibration: photos for int8.
        keep: refuse to make what would serve this run only.
    """
    from imgcls.core.models.keras_weights import check_weights

    _remove_leftovers(folder.parent, compiled_lock(folder.name))
    check_weights(network)  # said at once, not when a child has started Keras
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir(mode=0o700)
    kept = True
    title = os.path.basename(network.title)  # a line has no room for a long path
    try:
        if precision == "int8":
            from imgcls.core.engines.compiled.calibration import save_calibration

            kept = save_calibration(network, calibration, temporary, keep=keep)
        else:
            log.info("%s: %s, once", title, _occasion(network))
        usual = duration(_usual_seconds(network))
        with working(f"compiling {title} for this machine, usually about {usual}"):
            _run_child(network, precision, temporary)
        if kept:
            remove(folder)
            os.rename(temporary, folder)
        made = _read_made(network, precision, folder if kept else temporary)
    finally:
        _remove_unkept(temporary)
    if isinstance(made, CompiledModel) and precision == "int8":
        log.info(
            "%s: int8 names the same %s as float32 for %.0f%% of them",
            network.title,
            # Without a classifier there are only features to compare.
            "class" if made.facts.get("compared") == "logits" else "largest feature",
            100 * made.facts["agreement"],
        )
    return made


def _remove_leftovers(parent: Path, lock: str) -> None:
    """Remove folders of killed processes: those whose lock is free, and those of our own lock."""
    for path in parent.glob(".*.tmp"):
        name = compiled_lock(path.name)
        with contextlib.suppress(OSError):
            if name == lock:
                remove(path)
                continue
            with cache_lock(name, wait=False) as free:
                if free:
                    remove(path)


def _read_made(network: Network, precision: Precision, folder: Path) -> CompiledModel | Unsupported:
    with contextlib.suppress(UnusableError):
        made = read_compiled(folder, made_of(network, precision))
        if made is not None:
            return made
    raise ModelError(f"{folder}: the compiled model changed while it was made; try again")


def _remove_unkept(folder: Path) -> None:
    """Remove a folder now, or, where the system holds on to files that are open, at the end."""
    import atexit
    import shutil

    if sys.platform == "linux":
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists():
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _occasion(network: Network) -> str:
    """Say why a model is compiled now."""
    made = made_of(network, "float32")
    for _, facts in all_facts():
        same = all(facts.get(key) == made[key] for key in ("model", "precision", "weights_sha256"))
        older = facts.get("imgcls") or "another version"
        if same and older != made["imgcls"]:
            return f"it was compiled by imgcls {older}; compiling it anew for this version"
    return "compiling it for this machine"


def _usual_seconds(network: Network) -> float:
    """Return how long it takes to compile a network, about: 8 s of a small one, 3 min of VGG16."""
    return 4 + 1.2e-6 * network.spec.parameters


def _run_child(network: Network, precision: Precision, folder: Path) -> None:
    """Compile in a child process; what it prints is shown only with `-v`."""
    from imgcls.core.child import run_child  # with what starts processes, few runs need it

    network_facts = [network.name, os.fspath(network.weights), network.stored]
    request = json.dumps([*network_facts, asdict(network.variant), precision, os.fspath(folder)])
    child = run_child(
        "from imgcls.core.engines.compiled.convert import main; main()",
        request,
        folder,
        show=log.isEnabledFor(logging.DEBUG),
    )
    (folder / CALIBRATION_FILE).unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        outcome = read_facts(folder / FACTS_FILE)
        if "weights_error" in outcome:
            raise WeightsError(outcome["weights_error"])
        if "usage_error" in outcome:
            raise UsageError(outcome["usage_error"])
        return
    last = (child.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2]
    if child.returncode == EXIT_UNWRITABLE:
        raise OSError(last)
    if child.returncode < 0:
        last = f"killed by signal {-child.returncode}; is there enough memory?"
    raise ModelError(
        f"{network.title}: cannot be compiled ({last}); `verbose` shows more, and `engine` keras "
        "works without"
    )
