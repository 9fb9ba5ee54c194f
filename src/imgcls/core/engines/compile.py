"""Compile a network for LiteRT once, keep it in the cache, and check it before each use.

A cache entry is a folder, `compiled/NAME-PRECISION-KEY/`, that appears whole by a rename. KEY
hashes the weights, the row of the table and the version of imgcls; `entry.json` says what made
it and holds the SHA-256 of its files. The work is done by a child process, so a converter that
crashes or prints takes nothing down with it, and its memory is given back.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imgcls.core.errors import ModelError, WeightsError
from imgcls.core.files import cache_folder, sha256, write_atomically
from imgcls.core.models.scratch import BACKBONES
from imgcls.core.models.weights import Network

log = logging.getLogger("imgcls")

# Raised when what is compiled changes, so that entries of older versions are not used.
_FORMAT = 1
# The greatest difference of a softmax score between LiteRT and Keras that is accepted.
_MAX_DIFFERENCE = 1e-4
_MODEL_FILE = "model.tflite"
_ENTRY_FILE = "entry.json"
_CHECKED_IMAGES = 3


@dataclass(frozen=True)
class CompiledModel:
    """A compiled network in the cache, verified by its hash.

    Attributes:
        folder: the entry's folder.
        facts: what made it.
    """

    folder: Path
    facts: dict[str, Any]

    @property
    def path(self) -> Path:
        """The .tflite file."""
        return self.folder / _MODEL_FILE


@dataclass(frozen=True)
class Unsupported:
    """A network that LiteRT cannot run, and why."""

    reason: str


def compiled_model(network: Network) -> CompiledModel | Unsupported:
    """Return the compiled form of a network, made now if it is not in the cache.

    Raises:
        WeightsError: the weights do not fit the network.
        ModelError: the compiler process was killed.
    """
    folder = entry_folder(network)
    entry = _load(folder)
    if entry is None:
        with _locked(folder):
            entry = _load(folder)  # another process may have made it meanwhile
            if entry is None:
                if folder.exists():
                    log.warning("%s: the compiled model is damaged; it is made anew", folder)
                log.info("%s: compiling it for this machine, once", network.name)
                entry = _make(network, folder)
    return entry


def entry_folder(network: Network) -> Path:
    """Return where the compiled form of a network is kept, whether or not it is there."""
    from imgcls.core.version import __version__

    facts = [_FORMAT, __version__, network.weights_id, repr(network.spec)]
    key = hashlib.sha256("\0".join(str(fact) for fact in facts).encode()).hexdigest()[:16]
    return cache_folder() / "compiled" / f"{network.name}-float32-{key}"


def _load(folder: Path) -> CompiledModel | Unsupported | None:
    """Read and verify an entry; None where there is none that can be trusted."""
    try:
        facts = json.loads((folder / _ENTRY_FILE).read_bytes())
        if reason := facts.get("unsupported"):
            return Unsupported(str(reason))
        if sha256(folder / _MODEL_FILE) == facts["sha256"]:
            return CompiledModel(folder, facts)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        log.debug("%s: %s", folder, error)
    return None


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    import filelock

    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with filelock.FileLock(folder.with_name(f".{folder.name}.lock")):
        yield


def _make(network: Network, folder: Path) -> CompiledModel | Unsupported:
    import shutil

    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    try:
        _run_child(network, temporary)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    entry = _load(folder)
    if entry is None:
        raise ModelError(f"{folder}: the compiled model changed while it was made; try again")
    return entry


def _run_child(network: Network, folder: Path) -> None:
    """Compile in a child process; what it prints is shown only with `-v`."""
    import subprocess

    request = json.dumps([network.name, os.fspath(network.weights), os.fspath(folder)])
    verbose = log.isEnabledFor(logging.DEBUG)
    child = subprocess.run(
        # -P: a numpy.py in the working folder is none of ours.
        [sys.executable, "-P", "-c", f"from {__name__} import main; main()"],
        input=request.encode(),
        stdout=None if verbose else subprocess.DEVNULL,
        stderr=None if verbose else subprocess.PIPE,
        check=False,
    )
    with contextlib.suppress(FileNotFoundError):
        outcome = json.loads((folder / _ENTRY_FILE).read_bytes())
        if "weights_error" in outcome:
            raise WeightsError(outcome["weights_error"])
        return
    last = (child.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2]
    if child.returncode < 0:
        last = f"killed by signal {-child.returncode}; is there enough memory?"
    raise ModelError(
        f"{network.name}: cannot be compiled ({last}); -v shows more, --engine keras avoids it"
    )


def main() -> None:
    """Compile what standard input asks for; the outcome is `entry.json` in its folder."""
    name, weights, folder = json.load(sys.stdin)
    network = Network(name, BACKBONES[name], Path(weights))
    try:
        outcome = build_entry(network, Path(folder))
    except WeightsError as error:
        outcome = {"weights_error": str(error)}
    write_atomically(Path(folder) / _ENTRY_FILE, json.dumps(outcome, indent=1).encode())


def build_entry(network: Network, folder: Path) -> dict[str, Any]:
    """Convert a network to LiteRT and compare the two; runs in the child process.

    Returns:
        What `entry.json` holds: what made the entry, or why LiteRT cannot run it.

    Raises:
        WeightsError: the weights do not fit the network.
    """
    import importlib.metadata

    from imgcls.core.engines.keras import build_weighted, with_outputs

    outputs = with_outputs(build_weighted(network), network.spec)
    facts: dict[str, Any] = {
        "format": _FORMAT,
        "model": network.name,
        "weights_sha256": network.weights_id,
        "spec": asdict(network.spec),
        "versions": {
            package: importlib.metadata.version(package)
            for package in ("imgcls", "tensorflow", "keras", "ai-edge-litert", "numpy")
        },
    }
    try:
        content = _convert(outputs, network.spec.preprocessing.size)
        (folder / _MODEL_FILE).write_bytes(content)
        facts["sha256"] = hashlib.sha256(content).hexdigest()
        facts["max_difference"] = _max_difference(outputs, network, CompiledModel(folder, facts))
    except (RuntimeError, ValueError, NotImplementedError) as error:
        # The converter refuses with these what it cannot express; LiteRT what it cannot prepare.
        return facts | {"unsupported": " ".join(str(error).split())[:300]}
    if not facts["max_difference"] <= _MAX_DIFFERENCE:
        return facts | {"unsupported": f"scores differ by {facts['max_difference']:.1e}"}
    return facts


def _convert(outputs: Any, size: int) -> bytes:
    import tensorflow as tf

    # A fixed batch of one: what is run, and some networks prepare with no other.
    signature = [tf.TensorSpec([1, size, size, 3], tf.float32, name="image")]
    function = tf.function(lambda image: outputs(image, training=False), signature)
    concrete = function.get_concrete_function()
    content: bytes = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    return content


def _max_difference(outputs: Any, network: Network, compiled: CompiledModel) -> float:
    """Return the greatest difference between LiteRT's and Keras' scores on noise images."""
    import numpy as np

    from imgcls.core.engines.engine import softmax
    from imgcls.core.engines.litert import LiteRTEngine

    size = network.spec.preprocessing.size
    pixels = np.random.default_rng(0).integers(0, 256, (_CHECKED_IMAGES, size, size, 3), np.uint8)
    batch = network.spec.preprocessing.scale(pixels)
    (logits,) = LiteRTEngine(compiled, threads=1).run(batch, ("logits",))
    reference = np.asarray(outputs(batch, training=False)[0])
    return float(np.abs(softmax(logits) - softmax(reference)).max())
