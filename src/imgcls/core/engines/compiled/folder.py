"""The folder of a compiled model in the cache: read, verified, listed.

It is `compiled/NAME-PRECISION-KEY/`, which appears whole by a rename. KEY
hashes the weights, the row of the table and the version of imgcls; `facts.json` says what made
it and holds the SHA-256 of its model.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import io
import json
import mmap
import os
import sys
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from imgcls.core.arrays import Float32Array
from imgcls.core.cache import in_cache, named_cache
from imgcls.core.cache_clearing import COMPILED
from imgcls.core.engines.engine import Precision
from imgcls.core.files import open_regular, read_regular
from imgcls.core.models.spec import ModelSpec
from imgcls.core.models.weights import Network
from imgcls.core.processor import processor

# Raised when what is compiled changes, so that what older versions made is not used.
FORMAT = 5
MODEL_FILE = "model.tflite"
FACTS_FILE = "facts.json"
KERNEL_FILE = "kernel.npy"
# The photos that int8 is calibrated on, uint8 (n, size, size, 3); there only while it is made.
CALIBRATION_FILE = "calibration.npy"
_CHECK = "check"
EXIT_UNWRITABLE = 74  # of the child process: the folder cannot be written

# What a read meets that says nothing of the file.
_NOT_ITS_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class UnusableError(Exception):
    """A compiled model that is there but cannot be trusted; its text says what it is."""


@dataclass(frozen=True)
class CompiledModel:
    """A compiled network in the cache, verified by its hash.

    Its file stays open, so it can be run although the cache is cleared meanwhile.

    Attributes:
        folder: where it is kept.
        facts: what made it, and how fast it is.
        file: the .tflite file, open.
        kernel_file: the file of its linear classifier's kernel, open; None if there is none.
    """

    folder: Path
    facts: dict[str, Any]
    file: BufferedReader | None = field(default=None, compare=False, repr=False)
    kernel_file: BufferedReader | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Close the files when this is no longer in use."""
        for file in (self.file, self.kernel_file):
            if file is not None:
                weakref.finalize(self, file.close)

    @property
    def path(self) -> Path:
        """The .tflite file."""
        return self.folder / MODEL_FILE

    @property
    def lasting_path(self) -> Path:
        """A path to the very file that was verified, also when it has been removed (Linux)."""
        if self.file is not None and sys.platform == "linux":
            path = Path(f"/proc/self/fd/{self.file.fileno()}")
            if path.exists():
                return path
        return self.path

    @functools.cached_property
    def kernel(self) -> Float32Array:
        """The kernel (d, classes) of a linear classifier, for heatmaps without gradients.

        Raises:
            UnusableError: the file is damaged.
        """
        content = self.kernel_file.read() if self.kernel_file is not None else b""
        if hashlib.sha256(content).hexdigest() != self.facts.get("kernel_sha256"):
            raise UnusableError("has a damaged kernel")
        kernel: Float32Array = np.load(io.BytesIO(content), allow_pickle=False)
        return kernel


class Unsupported(NamedTuple):
    """A network that LiteRT cannot run, and why."""

    reason: str


def made_of(network: Network, precision: Precision) -> dict[str, Any]:
    """Return the facts that a folder must state to be that of a network."""
    from imgcls.core.version import __version__

    return {
        "format": FORMAT,
        "imgcls": __version__,
        "model": network.name,
        "precision": precision,
        "weights_sha256": network.weights_id,
        "spec": _row(network.spec),
    }


def _row(spec: ModelSpec) -> dict[str, Any]:
    """Return a row of the table, as JSON gives it back."""
    named = {"preprocessing": spec.preprocessing._asdict(), "weights": spec.weights._asdict()}
    row: dict[str, Any] = json.loads(json.dumps(spec._asdict() | named, default=asdict))
    return row


def compiled_folder(network: Network, precision: Precision = "float32") -> Path:
    """Return where the compiled form of a network is kept, whether or not it is there."""
    from imgcls.core.version import __version__

    facts = [FORMAT, __version__, network.weights_id, repr(network.spec)]
    key = hashlib.sha256("\0".join(str(fact) for fact in facts).encode()).hexdigest()[:16]
    return in_cache(COMPILED, f"{network.name}-{precision}-{key}")


def read_compiled(folder: Path, made: dict[str, Any]) -> CompiledModel | Unsupported | None:
    """Read and verify a compiled model; None where there is none.

    Args:
        folder: where it is kept.
        made: what must have made it, see `made_of`.

    Raises:
        UnusableError: it is damaged, or something else made it.
        OSError: it cannot be read, for a reason that is not the file's.
    """
    if not os.path.lexists(folder):
        return None
    try:
        return _verified(folder, made)
    except UnusableError:
        if not os.path.lexists(folder):
            return None  # the cache was cleared meanwhile
        raise


def _verified(folder: Path, made: dict[str, Any]) -> CompiledModel | Unsupported:
    try:
        facts = read_facts(folder / FACTS_FILE)
        for key, value in made.items():
            if facts[key] != value:
                what = key.replace("_", " ")
                raise UnusableError(f"was made by another version or from other weights ({what})")
        if reason := facts.get("unsupported"):
            return Unsupported(str(reason))
        file = open_regular(folder / MODEL_FILE)
        if _sha256(file) == facts["sha256"]:
            return CompiledModel(folder, facts, file, _open_kernel(folder))
        file.close()
    except (OSError, ValueError, LookupError) as error:
        if isinstance(error, OSError) and error.errno in _NOT_ITS_FAULT:
            raise
        raise UnusableError("is damaged") from error
    raise UnusableError("is damaged")


def _sha256(file: BufferedReader) -> str:
    """Hash a file in one call, which leaves Python to the thread that imports LiteRT meanwhile."""
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return hashlib.sha256(content).hexdigest()
    except (OSError, ValueError):  # a file system that maps none, an empty file
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open_kernel(folder: Path) -> BufferedReader | None:
    """Open the kernel's file; what is in it is verified when it is read."""
    with contextlib.suppress(OSError):
        return open_regular(folder / KERNEL_FILE)
    return None


def facts_text(facts: dict[str, Any]) -> bytes:
    """Return the content of `facts.json`: facts, and a hash of them that shows any change."""
    return json.dumps(facts | {_CHECK: _facts_hash(facts)}, indent=1).encode()


def read_facts(file: Path) -> dict[str, Any]:
    """Read `facts.json`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    facts = json.loads(read_regular(file))
    if not isinstance(facts, dict) or facts.pop(_CHECK, "") != _facts_hash(facts):
        raise ValueError("damaged")
    return facts


def _facts_hash(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def all_facts() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield each compiled model's folder and what it says, files unverified; for overviews."""
    with contextlib.suppress(OSError):
        for folder in sorted((named_cache() / COMPILED).iterdir()):
            with contextlib.suppress(OSError, ValueError):
                yield folder, read_facts(folder / FACTS_FILE)


def compiled_forms(
    kept: Iterable[tuple[Path, dict[str, Any]]], name: str, spec: ModelSpec
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield folder and facts of what a named model was compiled to, of `all_facts`."""
    wanted = {"format": FORMAT, "model": name, "spec": _row(spec)}
    for folder, facts in kept:
        if all(facts.get(key) == wanted[key] for key in wanted):
            yield folder, facts


def milliseconds(forms: Iterable[tuple[Path, dict[str, Any]]]) -> dict[str, float]:
    """Return precision → milliseconds an image took on one core when a model was compiled here.

    Args:
        forms: of `compiled_forms`.
    """
    here = processor()
    return {
        str(facts["precision"]): float(facts["milliseconds"])
        for _, facts in forms
        if "milliseconds" in facts and facts.get("processor", here) == here
    }
