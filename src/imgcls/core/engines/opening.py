"""Choose what runs a network, and open it."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
import threading
from collections.abc import Iterable, Iterator

from imgcls.core.engines.compiled.folder import CompiledModel, Unsupported
from imgcls.core.engines.engine import MANY_IMAGES, Engine, EngineName, Precision
from imgcls.core.errors import ModelError, OutputError, UsageError, one_line
from imgcls.core.models.weights import Network
from imgcls.core.pixels.sources import Source, counted_ahead

log = logging.getLogger("imgcls")

# For so few none but LiteRT comes into question: any other opens for a third of a second or more.
_FEW_IMAGES = 20
# A run of fewer images is over before timing the engines, some seconds, could pay.
_WORTH_TIMING = 200
# int8 is a gain if it takes less than this part of float32's time.
_GAIN = 0.95


def open_engine(
    network: Network,
    engine: EngineName = "auto",
    threads: int = 1,
    precision: Precision = "float32",
    calibration: Iterable[Source] | None = None,
    images: int | None = None,
) -> Engine:
    """Open the engine that runs a network.

    Args:
        network: what to run.
        engine: "auto" takes LiteRT where it can run the network, else Keras; OpenVINO where it is
            installed and was timed on this machine as the faster one.
        threads: how many processor cores to use.
        precision: "int8" runs on LiteRT only.
        calibration: photos to make the int8 model with where there is none yet.
        images: how many the engine is opened for; for hundreds, "auto" times the engines now if
            that was not done before. None: many, and nothing is timed.

    Raises:
        ModelError: the engine named cannot run the network, or not at this precision.
        WeightsError: the weights do not fit.
    """
    if precision != "float32" and engine in ("keras", "openvino"):
        raise UsageError(f"`precision` {precision} needs LiteRT; leave out `engine` {engine}")
    if engine == "openvino" and not _openvino_installed():
        raise ModelError("OpenVINO is the extra imgcls[openvino]; install it or leave out `engine`")
    if engine != "keras":
        may_fall_back = engine == "auto" and precision == "float32"
        compiled = _compiled(network, engine, precision, calibration, may_fall_back)
        if isinstance(compiled, CompiledModel):
            if has_choice(engine, precision):
                return _run_fastest(network, compiled, threads, images)
            if precision == "int8":
                _say_if_no_gain(network, compiled)
            return _run_compiled(network, compiled, engine, threads)
        if precision != "float32":
            raise ModelError(
                f"{network.title}: cannot run as {precision} ({compiled.reason}); "
                "use `precision` float32"
            )
        if engine != "auto":
            raise ModelError(
                f"{network.title}: cannot run on LiteRT ({compiled.reason}); use `engine` keras"
            )
        log.debug("%s runs on Keras: %s", network.title, compiled.reason)
    from imgcls.core.engines.keras_engine import KerasEngine

    return KerasEngine(network)


def has_choice(engine: EngineName, precision: Precision) -> bool:
    """Whether it is "auto" that decides what runs a compiled model, and there are two to choose."""
    return (engine, precision) == ("auto", "float32") and _openvino_installed()


def count_for_engine(
    engine: EngineName, precision: Precision, sources: Iterator[Source]
) -> tuple[int | None, Iterator[Source]]:
    """Count the images where it depends on their number what runs them.

    Args:
        engine: as for `open_engine`, like `precision`.
        precision: of the model.
        sources: the first of them are read ahead.

    Returns:
        How many there are, for `open_engine`; and all the sources.
    """
    if not has_choice(engine, precision):
        return None, sources
    return counted_ahead(sources, MANY_IMAGES)


def _openvino_installed() -> bool:
    return importlib.util.find_spec("openvino") is not None


def _run_fastest(
    network: Network, compiled: CompiledModel, threads: int, images: int | None
) -> Engine:
    """Open the engine that was the fastest here; LiteRT where that is not known or fails."""
    if images is not None and images < _FEW_IMAGES:
        return _run_compiled(network, compiled, "litert", threads)
    from imgcls.core.engines.speeds import kept_speeds, time_engines

    speeds = kept_speeds(compiled)
    if speeds is None and images is not None and images >= _WORTH_TIMING:
        speeds = time_engines(network.title, compiled)
    count = MANY_IMAGES if images is None else images
    if speeds is not None and speeds.best(count, threads) == "openvino":
        try:
            engine = _run_compiled(network, compiled, "openvino", threads)
            log.info("%s: runs on OpenVINO, which was timed as the faster engine", network.title)
            return engine
        except (ImportError, ModelError) as error:
            log.debug("%s runs on LiteRT: %s", network.title, error)
    return _run_compiled(network, compiled, "litert", threads)


def _say_if_no_gain(network: Network, compiled: CompiledModel) -> None:
    """Warn where int8 was timed on this processor and is not clearly faster than float32."""
    from imgcls.core.processor import processor

    facts = compiled.facts
    ours, plain = facts["milliseconds"], facts.get("float32_milliseconds")
    if plain is None or ours < _GAIN * plain or facts.get("processor") != processor():
        return
    log.warning(
        "%s: int8 takes %.1f ms an image on one core of this processor, float32 %.1f ms: it gains "
        "nothing here; leave out `precision` int8",
        *(network.title, ours, plain),
    )


def _run_compiled(
    network: Network, compiled: CompiledModel, engine: EngineName, threads: int
) -> Engine:
    from imgcls.core.engines.compiled.compile import whole_kernel

    kernel = functools.cache(functools.partial(whole_kernel, network, compiled))
    try:
        if engine == "openvino":
            from imgcls.core.engines.openvino import OpenVINOEngine

            return OpenVINOEngine(compiled, threads, kernel)
        from imgcls.core.engines.litert import LiteRTEngine

        return LiteRTEngine(compiled, threads, kernel)
    except (RuntimeError, ValueError) as error:  # how both say that memory is lacking
        raise ModelError(
            f"{network.title}: cannot be run ({one_line(str(error))}); is there enough memory?"
        ) from error


def _compiled(
    network: Network,
    engine: EngineName,
    precision: Precision,
    calibration: Iterable[Source] | None,
    may_fall_back: bool,
) -> CompiledModel | Unsupported:
    if importlib.util.find_spec("ai_edge_litert") is None:
        return Unsupported("ai-edge-litert is not installed")
    from imgcls.core.engines.compiled.compile import compiled_model

    threading.Thread(target=_import_meanwhile, args=(engine,), daemon=True).start()
    try:
        return compiled_model(network, precision, calibration)
    except OutputError as error:  # no folder to compile it in
        if not may_fall_back:
            raise
        log.warning("%s; this run does without, and is slower", error)
        return Unsupported(str(error))


def _import_meanwhile(engine: EngineName) -> None:
    """Import what the first photo needs, in a thread: hashing the model leaves Python free."""
    with contextlib.suppress(ImportError, OSError):  # they are met again where it is used
        if engine != "openvino":
            import ai_edge_litert.interpreter  # noqa: F401
        import PIL.JpegImagePlugin  # noqa: F401
