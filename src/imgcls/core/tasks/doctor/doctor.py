"""What a bug report needs to say of this machine, and the usual troubles found on it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imgcls.core.cache import named_cache
from imgcls.core.engines.compiled.folder import compiled_folder
from imgcls.core.engines.model import load_model
from imgcls.core.errors import ImgclsError
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights
from imgcls.core.processor import processor, usable_cores
from imgcls.core.tasks.doctor.machine import free_memory
from imgcls.core.version import __version__

_LEAST_DISK = 500 * 2**20
_LEAST_MEMORY = 2**30
# What changes how imgcls or its libraries work.
_VARIABLES = re.compile(
    r"IMGCLS_.+|KERAS_.+|TF_(?!CLI_).+|XLA_FLAGS|CUDA_VISIBLE_DEVICES|OMP_NUM_THREADS"
    r"|PYTHON(PATH|HOME|UTF8|IOENCODING)|LANG|LC_ALL|NO_COLOR|TERM|https?_proxy",
    re.IGNORECASE,
)
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)[^;]*(;.*extra == ['\"](?P<extra>\w+)['\"])?")


@dataclass(frozen=True)
class Checkup:
    """This machine, as imgcls finds it.

    Attributes:
        facts: what → its value, for people.
        packages: those that imgcls is made on, name → version; empty for one that is absent.
        environment: the variables that matter and are set.
        troubles: each in a sentence that says what to do.
    """

    facts: Mapping[str, str]
    packages: Mapping[str, str]
    environment: Mapping[str, str]
    troubles: tuple[str, ...]


def check_up() -> Checkup:
    """Look at what imgcls runs on. Nothing is compiled or downloaded."""
    required, optional = _packages()
    cache = named_cache()
    troubles = list(_troubles(required, cache))
    environment = _environment()  # before a model is opened: that may name another cache
    model, model_trouble = _default_model()
    troubles += [model_trouble] if model_trouble else []
    facts = {
        "imgcls": f"{__version__} in {Path(__file__).parents[3]}",
        "Python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "processor": f"{processor()}, {usable_cores()} of {os.cpu_count()} cores",
        "free memory": _size(free_memory()),
        "cache": str(cache),
        "free disk": _size(_free_disk(cache)),
        "network": "forbidden (IMGCLS_OFFLINE)" if os.environ.get("IMGCLS_OFFLINE") else "allowed",
        "default model": model,
    }
    return Checkup(facts, required | optional, environment, tuple(troubles))


def _environment() -> dict[str, str]:
    """Return the variables that matter, without the password of a proxy."""
    chosen = sorted(name for name in os.environ if _VARIABLES.fullmatch(name))
    return {name: re.sub(r"(?<=//)[^/@]*@", "…@", os.environ[name]) for name in chosen}


def _troubles(required: Mapping[str, str], cache: Path) -> Iterator[str]:
    for name in (name for name, version in required.items() if not version):
        yield f"{name} is not installed; run: pip install {name}"
    found = shutil.which("imgcls")
    own = Path(sys.executable).parent
    if found and Path(found).parent != own and (own / Path(found).name).exists():
        yield f"the command imgcls is {found}, not the one of this Python; mind your PATH"
    there = _nearest(cache)
    if not there.is_dir():
        yield f"{cache}: the cache cannot be there, {there} is a file; set IMGCLS_CACHE"
    elif not os.access(there, os.W_OK | os.X_OK):
        yield (
            f"{cache}: the cache cannot be written, so models are compiled anew in each run; set "
            "IMGCLS_CACHE to a folder of yours"
        )
    disk, memory = _free_disk(cache), free_memory()
    if disk is not None and disk < _LEAST_DISK:
        yield f"{cache}: {_size(disk)} of disk are free; compiling a model may need more"
    if memory is not None and memory < _LEAST_MEMORY:
        yield f"{_size(memory)} of memory are free; training and large models need more"


def _packages() -> tuple[dict[str, str], dict[str, str]]:
    """Return the versions of what imgcls requires here, and of what its extras bring."""
    required: dict[str, str] = {}
    optional: dict[str, str] = {}
    for line in importlib.metadata.requires("imgcls") or ():
        found = _REQUIREMENT.match(line)
        if found is None or found["name"] == "imgcls" or found["extra"] == "dev":
            continue
        try:
            version = importlib.metadata.version(found["name"])
        except importlib.metadata.PackageNotFoundError:
            version = ""
        if found["extra"]:
            optional[found["name"]] = version
        elif version or "sys_platform" not in line:
            required[found["name"]] = version
    return required, optional


def _default_model() -> tuple[str, str]:
    """Return what can be said of the default model, and what is wrong with it."""
    spec = MODELS[DEFAULT_MODEL]
    try:
        network = Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec))
        if not compiled_folder(network).exists():
            return f"{DEFAULT_MODEL}, to be compiled at its first use", ""
        start = time.perf_counter()
        model = load_model(DEFAULT_MODEL)
        size = spec.preprocessing.size
        model.scores(np.zeros((1, size, size, 3), np.float32))
        seconds = time.perf_counter() - start
    except ImgclsError as error:
        return f"{DEFAULT_MODEL}, does not work", str(error)
    name = model.engine.name
    return f"{DEFAULT_MODEL} on {name}, opened and run in {1000 * seconds:.0f} ms", ""


def _nearest(path: Path) -> Path:
    """Return a path or the nearest above it that is there."""
    path = path.absolute()
    return next(above for above in (path, *path.parents) if os.path.lexists(above))


def _free_disk(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(_nearest(folder)).free
    except OSError:
        return None


def _size(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 2**30:.1f} GB"
