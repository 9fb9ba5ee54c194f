"""The entries of the cache of compiled models: read, verify, list and remove them.

An entry is a folder, `compiled/NAME-PRECISION-KEY/`, that appears whole by a rename. KEY
hashes the weights, the row of the table and the version of imgcls; `entry.json` says what made
it and holds the SHA-256 of its model.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imgcls.core.cache import CACHE_PARTS, in_cache, named_cache
from imgcls.core.engines.engine import Precision
from imgcls.core.errors import ModelError
from imgcls.core.files import sha256
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.weights import Network

# Raised when what is compiled changes, so that entries of older versions are not used.
FORMAT = 3
MODEL_FILE = "model.tflite"
ENTRY_FILE = "entry.json"
KERNEL_FILE = "kernel.npy"
# The photos that int8 is calibrated on, uint8 (n, size, size, 3); there only while it is made.
CALIBRATION_FILE = "calibration.npy"
_COMPILED = "compiled"


@dataclass(frozen=True)
class CompiledModel:
    """A compiled network in the cache, verified by its hash.

    Attributes:
        folder: the entry's folder.
        facts: what made it, and how fast it is.
    """

    folder: Path
    facts: dict[str, Any]

    @property
    def path(self) -> Path:
        """The .tflite file."""
        return self.folder / MODEL_FILE

    def classifier_kernel(self) -> npt.NDArray[np.float32]:
        """Read the kernel (d, classes) of a linear classifier, for heatmaps without gradients.

        Raises:
            ModelError: the file is damaged.
        """
        path = self.folder / KERNEL_FILE
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != self.facts.get("kernel_sha256"):
            raise ModelError(f"{path}: damaged; delete its folder, and it is made anew")
        kernel: npt.NDArray[np.float32] = np.load(io.BytesIO(content), allow_pickle=False)
        return kernel


@dataclass(frozen=True)
class Unsupported:
    """A network that LiteRT cannot run, and why."""

    reason: str


class UnusableEntryError(Exception):
    """An entry that is there but cannot be trusted; its text says what it is."""


def made_of(network: Network, precision: Precision) -> dict[str, Any]:
    """Return the facts that an entry must hold to be that of a network."""
    from imgcls.core.version import __version__

    return {
        "format": FORMAT,
        "imgcls": __version__,
        "model": network.name,
        "precision": precision,
        "weights_sha256": network.weights_id,
        "spec": json.loads(json.dumps(asdict(network.spec))),
    }


def entry_folder(network: Network, precision: Precision = "float32") -> Path:
    """Return where the compiled form of a network is kept, whether or not it is there."""
    from imgcls.core.version import __version__

    facts = [FORMAT, __version__, network.weights_id, repr(network.spec)]
    key = hashlib.sha256("\0".join(str(fact) for fact in facts).encode()).hexdigest()[:16]
    return in_cache(_COMPILED, f"{network.name}-{precision}-{key}")


def read_entry(folder: Path, made: dict[str, Any]) -> CompiledModel | Unsupported | None:
    """Read and verify an entry; None where there is none.

    Args:
        folder: the entry's.
        made: what must have made it, see `made_of`.

    Raises:
        UnusableEntryError: it is damaged, or something else made it.
    """
    if not folder.exists():
        return None
    try:
        facts = json.loads((folder / ENTRY_FILE).read_bytes())
        for key, value in made.items():
            if facts[key] != value:
                raise UnusableEntryError(f"is of another {key.replace('_', ' ')}")
        if reason := facts.get("unsupported"):
            return Unsupported(str(reason))
        if sha256(folder / MODEL_FILE) == facts["sha256"]:
            return CompiledModel(folder, facts)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnusableEntryError("is damaged") from error
    raise UnusableEntryError("is damaged")


def all_facts() -> Iterator[dict[str, Any]]:
    """Yield what each readable entry says of itself, unverified; for overviews."""
    for file in sorted((named_cache() / _COMPILED).glob(f"*/{ENTRY_FILE}")):
        with contextlib.suppress(OSError, ValueError):
            facts = json.loads(file.read_bytes())
            if isinstance(facts, dict):
                yield facts


def milliseconds(name: str, spec: ModelSpec) -> dict[str, float]:
    """Return precision → milliseconds an image took on one core when a model was compiled."""
    wanted = {"format": FORMAT, "model": name, "spec": json.loads(json.dumps(asdict(spec)))}
    return {
        str(facts["precision"]): float(facts["milliseconds"])
        for facts in all_facts()
        if "milliseconds" in facts and all(facts.get(key) == wanted[key] for key in wanted)
    }


@dataclass(frozen=True)
class Freed:
    """Something that was removed from the cache.

    Attributes:
        name: its place in the cache folder; a folder of small files counts as one thing.
        size: in bytes.
    """

    name: str
    size: int


def clear_cache() -> Iterator[Freed]:
    """Remove all that imgcls keeps in its cache, of every version; yield each as it goes.

    Nothing else in the folder is touched, nor is an entry that is being made at this moment.
    """
    import shutil

    for part in CACHE_PARTS:
        folder = named_cache() / part
        small = 0
        for path in sorted(folder.glob("*")):
            # .NAME.lock and .NAME.PID.tmp belong to the entry NAME.
            lock = folder / f".{path.name.lstrip('.').partition('.')[0]}.lock"
            if path == lock or _is_held(lock):
                continue
            if path.is_dir():
                size = sum(file.stat().st_size for file in path.rglob("*"))
                shutil.rmtree(path)
                yield Freed(f"{part}/{path.name}", size)
            else:
                small += path.stat().st_size
                path.unlink()
        for lock in folder.glob(".*.lock"):
            if not _is_held(lock):
                lock.unlink(missing_ok=True)
        if small:
            yield Freed(f"{part}/", small)


def _is_held(lock: Path) -> bool:
    """Whether a process holds a lock file at this moment."""
    import filelock

    if not lock.exists():
        return False
    try:
        with filelock.FileLock(lock, timeout=0):
            return False
    except filelock.Timeout:
        return True
