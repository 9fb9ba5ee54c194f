"""An open model as a parcel that travels to each node once and is verified there."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from typing import Any

from imgcls.core.cache import cache_lock, cache_part
from imgcls.core.cache_clearing import COMPILED, compiled_lock
from imgcls.core.engines.compiled.folder import CompiledModel
from imgcls.core.engines.engine import Engine
from imgcls.core.engines.litert import LiteRTEngine
from imgcls.core.engines.model import Model
from imgcls.core.engines.openvino import OpenVINOEngine
from imgcls.core.errors import ModelError
from imgcls.core.files import open_regular, sha256, write_atomically
from imgcls.core.models.weights import Network


@dataclass(frozen=True)
class Parcel:
    """All that a node needs to run a model, but for imgcls itself.

    Attributes:
        model: it, without what runs it.
        engine: the name of what runs it.
        facts: of its compiled form.
        file_name: of the file that the engine opens: the compiled model, or for Keras the weights
            or the model file.
        sha256: of that file.
    """

    model: Model
    engine: str
    facts: dict[str, Any]
    file_name: str
    sha256: str


@dataclass(frozen=True)
class _SentNetwork(Network):
    """A network whose weights stayed where it came from.

    Attributes:
        sent_id: the SHA-256 of the weights file there, so that features have the same name in
            every cache.
    """

    sent_id: str = ""

    @property
    def weights_id(self) -> str:
        """The SHA-256 of the weights file."""
        return self.sent_id


def pack(model: Model) -> tuple[Parcel, bytes]:
    """Return a model as a parcel, and the content of its file."""
    engine = model.engine
    if isinstance(engine, LiteRTEngine | OpenVINOEngine):
        facts, path, name = engine.compiled.facts, engine.compiled.lasting_path, "model.tflite"
    else:
        facts, path = {}, model.network.weights
        name = path.name
    content = path.read_bytes()
    network = _SentNetwork(**vars(model.network), sent_id=model.network.weights_id)
    # It is opened on the node.
    bare = replace(model, network=network, engine=None)  # type: ignore[arg-type]
    return Parcel(bare, engine.name, facts, name, hashlib.sha256(content).hexdigest()), content


def unpack(parcel: Parcel, content: bytes, threads: int) -> Model:
    """Open the model of a parcel on this node.

    Its file is kept in the node's cache; one that is there already is verified by its hash, and
    so is one that arrives.

    Raises:
        ModelError: it did not arrive as it was sent.
        OutputError: there is no cache that can be written.
    """
    folder = cache_part(COMPILED) / f"{parcel.model.network.name}-node-{parcel.sha256[:16]}"
    path = folder / parcel.file_name
    with cache_lock(compiled_lock(folder.name)):
        there = ""
        with contextlib.suppress(OSError):
            there = sha256(path)
        if there != parcel.sha256:
            folder.mkdir(mode=0o700, exist_ok=True)
            write_atomically(path, content)
        file = open_regular(path)
    if hashlib.file_digest(file, "sha256").hexdigest() != parcel.sha256:
        raise ModelError(f"{parcel.model.name}: did not arrive as it was sent; run it again")
    network = replace(parcel.model.network, weights=path)
    compiled = CompiledModel(folder, parcel.facts, file)
    return replace(
        parcel.model, network=network, engine=_open(parcel.engine, network, compiled, threads)
    )


def _open(engine: str, network: Network, compiled: CompiledModel, threads: int) -> Engine:
    if engine == "openvino":
        with contextlib.suppress(ImportError):  # not installed here: LiteRT runs the same file
            return OpenVINOEngine(compiled, threads)
    if engine != "keras":
        return LiteRTEngine(compiled, threads)
    from imgcls.core.engines.keras_engine import KerasEngine

    return KerasEngine(network)
