"""Ray, which no other module knows: connect, hand the parts out, take the notes back.

Each part is a task of Ray Data, a function that any process of the cluster can run, not a call
of an actor: where a process or a node dies, its tasks go to others, while those of a dead actor
would wait for a place to start it anew, for ever where there is none. Nothing reads ahead for
the workers, so they may have every processor. Ray Data tries a task again without end; `Worker`
gives it up.
"""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import json
import logging
import math
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from imgcls.core import errors
from imgcls.core.errors import ClusterError, ImgclsError, ModelError, UsageError, one_line
from imgcls.core.files import is_running
from imgcls.core.processor import usable_cores
from imgcls.core.quiet import native_output_silenced
from imgcls.core.tasks.cluster.address import check_answer, check_auto, is_loopback, unreachable
from imgcls.core.tasks.cluster.job_folder import Note
from imgcls.core.tasks.cluster.options import ClusterOptions
from imgcls.core.tasks.cluster.work import Order, Worker
from imgcls.core.version import __version__

log = logging.getLogger("imgcls")

_LEAST_RAY = (2, 50)
# Each block is a task and takes memory here; more parts than this share them.
_MOST_BLOCKS = 10_000
_SMALL_STORE = 200 * 2**20  # bytes, beside the model, for what nodes exchange
_FOLDER = "imgcls-ray-"
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def check_ray() -> None:
    """Make sure that Ray is there, without importing it.

    Raises:
        UsageError: it is not, or is too old.
    """
    extra = "pip install 'imgcls[cluster]'"
    if importlib.util.find_spec("ray") is None or importlib.util.find_spec("pyarrow") is None:
        raise UsageError(f"`cluster` needs Ray, which is not installed; {extra}")
    from importlib import metadata

    version = metadata.version("ray")
    if tuple(int(part) for part in version.split(".")[:2]) < _LEAST_RAY:
        least = ".".join(map(str, _LEAST_RAY))
        raise UsageError(f"Ray {version} is too old, `cluster` needs {least} or later; {extra}")


@contextlib.contextmanager
def connected(options: ClusterOptions, content: bytes) -> Iterator[Any]:
    """Connect to the cluster, or start one; when the block ends, end the job and what was started.

    Args:
        options: where it is.
        content: what travels to each node.

    Yields:
        The module `ray`.

    Raises:
        ClusterError: it does not answer, or its version does not fit.
    """
    local = options.address == "local"
    ray = _import_ray(local or is_loopback(options.address))
    with contextlib.ExitStack() as stack:
        # Ray prints what happens to workers on standard output, which is for results only.
        sink = sys.stderr if _is_verbose() else stack.enter_context(open(os.devnull, "w"))
        stack.enter_context(contextlib.redirect_stdout(sink))
        how: dict[str, Any] = {"address": options.address, "log_to_driver": _is_verbose()}
        check_answer(options.address)
        if options.address == "auto":
            check_auto()
        if local:
            folder = stack.enter_context(_temporary_folder())
            how |= {
                "num_cpus": options.workers or usable_cores(),
                "num_gpus": 0,
                "object_store_memory": _SMALL_STORE + 2 * len(content),
                "include_dashboard": False,
                "_node_ip_address": "127.0.0.1",
                "_temp_dir": folder,
            }
        stack.callback(ray.shutdown)
        with _signals_kept(), native_output_silenced():
            try:
                ray.init(configure_logging=False, **how)
            except Exception as error:  # Ray raises many kinds; each is one line
                raise unreachable(options.address, error) from error
        if not _is_verbose():
            # What is logged where a client's work is done comes here, too; no option stops it.
            with contextlib.suppress(AttributeError):  # no client, or another version of Ray
                ray.util.client.ray.get_context().client_worker.log_client.disable_logs()
        yield ray


def run_parts(
    ray: Any, order: Order, content: bytes, parts: Sequence[str], workers: int | None
) -> Generator[Note]:
    """Make parts on the cluster; yield the note of each as it is done.

    It is to be closed before the connection is: Ray Data tells the cluster that it ends.

    Args:
        ray: as `connected` yields it.
        order: what the workers do.
        content: of the model's file.
        parts: their names.
        workers: how many at once.

    Raises:
        ImgclsError: what a worker raised, or that the cluster failed.
    """
    # Ray Data does not work through a client, so it then runs on the cluster's side.
    make = _notes_of_driver if ray.util.client.ray.is_connected() else _notes
    try:
        # Through a client, the cluster reads them at once, if it has imgcls.
        refs = ray.put(order), ray.put(content)
        with contextlib.closing(make(ray, refs, parts, workers)) as notes:
            yield from map(_received, notes)
    except ImgclsError:
        raise
    except Exception as error:  # Ray and its client raise many kinds; each is one line
        raise _failed(error) from error


def _notes_of_driver(
    ray: Any, refs: Sequence[Any], parts: Sequence[str], workers: int | None
) -> Generator[str]:
    driver = ray.remote(num_cpus=0)(_Driver).remote(list(refs), parts, workers)
    while (note := ray.get(driver.next.remote())) is not None:
        yield note


def _notes(
    ray: Any, refs: Sequence[Any], parts: Sequence[str], workers: int | None
) -> Generator[str]:
    """Make parts with Ray Data; yield the note of each as JSON."""
    order, content = refs
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    blocks = math.ceil(len(parts) / math.ceil(len(parts) / _MOST_BLOCKS))
    notes = ray.data.from_items(list(parts), override_num_blocks=blocks).map(
        _do,
        fn_kwargs={"order": order, "content": content},
        num_cpus=1,
        compute=ray.data.TaskPoolStrategy(size=workers),
    )
    for row in notes.iter_rows():
        yield str(row["note"])


class _Driver:
    """What asks Ray Data for the notes, as an actor on the cluster; it takes no processor."""

    def __init__(self, refs: Sequence[Any], parts: Sequence[str], workers: int | None) -> None:
        import ray
        import ray.data

        self._notes = _notes(ray, refs, parts, workers)

    def next(self) -> str | None:
        return next(self._notes, None)


_worker: tuple[Any, Worker] | None = None  # of this process, and the order that it is for


def _do(row: dict[str, Any], *, order: Any, content: Any) -> dict[str, Any]:
    """Make a part; this runs in a process of the cluster.

    What goes wrong is a result like another: an exception would reach the driver as Ray's own,
    with ours somewhere in its text.
    """
    global _worker
    import ray

    # Another version of imgcls may not be able to read these; `_failed` knows Ray's words for it.
    told = ray.get([order, content]) if _worker is None or _worker[0] != order else None
    try:
        if told:
            _worker = order, Worker(*told)
        assert _worker
        return {"note": json.dumps(asdict(_worker[1].do(str(row["item"]))))}
    except ImgclsError as error:
        log.debug("a part failed", exc_info=True)
        failure = {"kind": type(error).__name__, "text": str(error)}
    except Exception as error:  # whatever else; it must not look like a fault of the cluster
        log.debug("a part failed", exc_info=True)
        text = one_line(f"{type(error).__name__}: {error}")
        failure = {
            "kind": ClusterError.__name__,
            "text": f"{row['item']}: a worker failed ({text}); `verbose` shows more",
        }
    return {"note": json.dumps({"failure": failure})}


def _received(text: str) -> Note:
    """Return a part's note, or raise what went wrong with it."""
    content = json.loads(text)
    if failure := content.get("failure"):
        kind: type[ImgclsError] = getattr(errors, failure["kind"], ClusterError)
        raise kind(failure["text"])
    return Note(**content)


@contextlib.contextmanager
def _temporary_folder() -> Iterator[str]:
    """Make a folder for what Ray writes, and remove it; those of killed runs go, too."""
    known = os.name == "posix"  # elsewhere nobody can say whether a process is there
    for left in glob.glob(os.path.join(tempfile.gettempdir(), f"{_FOLDER}[0-9]*-*")):
        pid = left.rpartition(_FOLDER)[2].partition("-")[0]
        if known and pid.isdigit() and not is_running(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _import_ray(loopback: bool) -> Any:
    check_ray()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if loopback:  # what keeps Ray there, on Linux too
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    import ray
    import ray.data

    if not _is_verbose():
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    return ray


def _is_verbose() -> bool:
    return log.isEnabledFor(logging.DEBUG)


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Give signals back to whom they belonged before: Ray takes some."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [name for name in _SIGNALS if hasattr(signal, name)]
    handlers = {name: signal.getsignal(getattr(signal, name)) for name in names}
    try:
        yield
    finally:
        for name, handler in handlers.items():
            signal.signal(getattr(signal, name), handler)


def _failed(error: Exception) -> ImgclsError:
    """Return in words what became of the cluster."""
    text = str(error)
    if "No module named 'imgcls" in text or "on <module 'imgcls" in text:
        return ModelError(
            f"a node of the cluster has no imgcls, or another version; install {__version__} on "
            "every node"
        )
    return ClusterError(f"the cluster failed ({_last_line(text)}); `verbose` shows more")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return one_line(lines[-1]) if lines else ""


__all__ = ["check_ray", "connected", "run_parts"]
