"""How fast each engine runs a compiled model on this machine: timed once, kept beside it.

`speeds.json` in the folder of the compiled model says for which processor and which versions of
the engines it holds; a cache that was copied to another machine is timed again there.
"""

from __future__ import annotations

import glob
import json
import logging
import os
from collections.abc import Iterable, Mapping
from importlib import util
from pathlib import Path
from typing import Any, NamedTuple

from imgcls.core.cache import cache_lock
from imgcls.core.cache_clearing import compiled_lock
from imgcls.core.child import run_child
from imgcls.core.engines.compiled.folder import (
    CompiledModel,
    facts_text,
    read_facts,
)
from imgcls.core.engines.engine import MANY_IMAGES
from imgcls.core.errors import OutputError
from imgcls.core.files import write_atomically
from imgcls.core.processor import processor, usable_cores
from imgcls.core.progress import working

log = logging.getLogger("imgcls")

SPEEDS_FILE = "speeds.json"
# Engine → the package it is of; the first is taken where another is not clearly faster.
PACKAGES = {"litert": "ai-edge-litert", "openvino": "openvino"}
_PREFERRED = "litert"
# Another engine is taken if it needs less than this part of the preferred one's time.
_CLEARLY_LESS = 0.95


class Speed(NamedTuple):
    """How fast an engine was.

    Attributes:
        open_seconds: from its import to its first result.
        images_per_second: from then on, from file to label.
    """

    open_seconds: float
    images_per_second: float

    def seconds(self, images: int) -> float:
        """Return how long so many images take."""
        return self.open_seconds + images / self.images_per_second


class Speeds(NamedTuple):
    """How fast the engines run a compiled model on this machine.

    Attributes:
        one: engine → its speed on one core.
        all: engine → its speed on all cores.
        cores: how many these are.
        decoding: seconds that one core takes to decode and fit an image, as a part of the above;
            0 where the network alone was timed.
    """

    one: Mapping[str, Speed]
    all: Mapping[str, Speed]
    cores: int
    decoding: float = 0.0

    def network_seconds(self, engine: str) -> float:
        """Return how long the network alone takes for an image, on one core."""
        return 1 / self.one[engine].images_per_second - self.decoding

    def best(self, images: int, threads: int) -> str:
        """Return the engine that is done first.

        Args:
            images: how many the run has.
            threads: how many processor cores it uses.
        """
        speeds = self.one if threads == 1 else self.all
        seconds = {engine: speed.seconds(images) for engine, speed in speeds.items()}
        if _PREFERRED in seconds:
            seconds[_PREFERRED] *= _CLEARLY_LESS
        return min(seconds, key=seconds.__getitem__)

    def least_images(self, engine: str) -> int | None:
        """Return from how many images on an engine is done first on all cores.

        None where it is not within `MANY_IMAGES`.
        """
        counts = range(1, MANY_IMAGES + 1)
        return next((count for count in counts if self.best(count, self.cores) == engine), None)


def kept_speeds(compiled: CompiledModel) -> Speeds | None:
    """Return what was timed of a compiled model; None if it was not here, or not with these."""
    file = compiled.folder / SPEEDS_FILE
    try:
        facts = read_facts(file)
        if any(facts[key] != value for key, value in _conditions(compiled).items()):
            return None
        return _from_json(facts)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError):
        log.debug("%s: damaged; the engines are timed again", file)
        return None


def time_engines(title: str, compiled: CompiledModel) -> Speeds | None:
    """Return how fast the engines run a compiled model here, timed now if it was not before.

    A child process does it, so that an engine that is not taken leaves nothing behind.

    Args:
        title: what messages call the network.
        compiled: its compiled form.

    Returns:
        None where the figures cannot be kept, or no engine could be timed: to do it again in
        each run would cost more than it gains.
    """
    folder = compiled.folder
    if (kept := kept_speeds(compiled)) is not None or not os.access(folder, os.W_OK):
        return kept
    try:
        with cache_lock(compiled_lock(folder.name)):
            if (kept := kept_speeds(compiled)) is not None:  # timed by another process meanwhile
                return kept
            log.info("%s: timing the engines on this machine, once", title)
            with working(f"timing {title} on each engine"):
                _time_apart(folder, installed_engines())
                if (kept := kept_speeds(compiled)) is None:  # one has brought the child down
                    _time_apart(folder, [_PREFERRED])
                    kept = kept_speeds(compiled)
            return kept
    except (OSError, OutputError) as error:
        log.debug("%s: the engines were not timed: %s", title, error)
        return None


def _time_apart(folder: Path, engines: list[str]) -> None:
    """Time engines in a child process, which keeps the figures if it comes to its end."""
    child = run_child(
        "from imgcls.core.engines.timing import main; main()",
        json.dumps([os.fspath(folder), engines, usable_cores()]),
        show=log.isEnabledFor(logging.DEBUG),
    )
    if child.returncode:
        last = (child.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2]
        log.debug("%s: timing %s ended with %d: %s", folder, engines, child.returncode, last)


def keep_speeds(compiled: CompiledModel, speeds: Speeds) -> None:
    """Write what was timed beside the compiled model.

    Raises:
        OSError: it cannot be written.
    """
    facts = _conditions(compiled) | {"decoding": speeds.decoding}
    facts |= {
        mode: {name: [speed.open_seconds, speed.images_per_second] for name, speed in timed.items()}
        for mode, timed in (("one", speeds.one), ("all", speeds.all))
    }
    write_atomically(compiled.folder / SPEEDS_FILE, facts_text(facts))


def installed_engines() -> list[str]:
    """Return the engines that can run a compiled model here."""
    modules = {engine: package.replace("-", "_") for engine, package in PACKAGES.items()}
    return [engine for engine, module in modules.items() if util.find_spec(module) is not None]


def _conditions(compiled: CompiledModel) -> dict[str, Any]:
    """Return what must be the same for figures to hold."""
    return {
        "sha256": compiled.facts["sha256"],
        "processor": processor(),
        "cores": usable_cores(),
        "versions": {name: _version(PACKAGES[name]) for name in installed_engines()},
    }


def _version(package: str) -> str:
    """Return the version of a package that is installed, as `importlib.metadata` would.

    The name of the folder beside it says it in less than a millisecond; `importlib.metadata`
    takes 17, more than one photo.
    """
    name = package.replace("-", "_")
    spec = util.find_spec(name)
    for folder in (spec and spec.submodule_search_locations) or ():
        found = glob.glob(f"{glob.escape(os.path.dirname(folder))}/{name}-*.dist-info")
        if len(found) == 1:
            return os.path.basename(found[0])[len(name) + 1 : -len(".dist-info")]
    from importlib import metadata

    return metadata.version(package)


def _from_json(facts: dict[str, Any]) -> Speeds:
    one, every = (
        {
            engine: Speed(float(opened), float(rate))
            for engine, (opened, rate) in facts[mode].items()
        }
        for mode in ("one", "all")
    )
    if not one or not every:
        raise ValueError("no engine was timed")
    return Speeds(one, every, int(facts["cores"]), float(facts.get("decoding", 0.0)))


def listed_speeds(forms: Iterable[tuple[Path, dict[str, Any]]]) -> Speeds | None:
    """Return what was timed here of a named model, as it is by itself; None if it was not.

    Args:
        forms: of `compiled_forms`.
    """
    for folder, facts in forms:
        if facts["precision"] == "float32":
            found = kept_speeds(CompiledModel(folder, facts))
            if found is not None:
                return found
    return None
