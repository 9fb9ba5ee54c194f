"""Time whole processes, in pairs, and say it as a ratio."""

from __future__ import annotations

import math
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from imgcls.core.processor import processor

T = TypeVar("T")

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "sample_images"


_CLOSE = 2  # a ratio up to this is told to a hundredth


def caption() -> str:
    """Say which machine the figures are of."""
    return f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: what was measured.
        ours: imgcls' figure, with its unit.
        usual: the usual way's.
        ratio: how many times better ours is.
        goal: the least ratio that is wanted; 0 for none.
        bound: the part of what the same cores can do at all that ours reaches; 0 if not measured.
        best_other: the best other way that a careful user has; empty if none was measured.
        other_ratio: how many times better ours is than that.
    """

    what: str
    ours: str
    usual: str
    ratio: float
    goal: float = 0.0
    bound: float = 0.0
    best_other: str = ""
    other_ratio: float = 0.0

    def markdown(self) -> str:
        """Return the row of a Markdown table."""
        goal = f"{self.goal:g}" if self.goal else ""
        bound = f"{self.bound:.0%}" if self.bound else ""
        other = f"{self.other_ratio:.2f} ({self.best_other})" if self.best_other else ""
        ratio = f"{self.ratio:.{1 if self.ratio > _CLOSE else 2}f}"
        cells = (self.what, self.ours, self.usual, ratio, goal, bound, other)
        return f"| {' | '.join(cells)} |"


HEADER = (
    "| what | imgcls | the usual way | ratio | wanted | of the bound | to the best other way |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Run:
    """A finished process.

    Attributes:
        seconds: from its start to its end.
        megabytes: its own peak memory, not its children's; NaN where this process had as much,
            with whose memory that of a child begins (see `peak_memory`).
        output: its standard output; empty if it was not kept.
        first_byte: seconds until its standard output began.
        cpu_seconds: that processors worked for it, not for its children.
    """

    seconds: float
    megabytes: float
    output: str
    first_byte: float
    cpu_seconds: float


def multiplied(folder: Path, count: int) -> Path:
    """Make a folder of `count` names for the sample images and return it."""
    folder.mkdir()
    samples = sorted(SAMPLES.glob("*.jpg"))
    copies = [folder.with_name(f"{folder.name}-{photo.name}") for photo in samples]
    for photo, copy in zip(samples, copies, strict=True):
        shutil.copy(photo, copy)  # once: links cannot leave their disk
    for number in range(count):
        os.link(copies[number % len(copies)], folder / f"{number:06}.jpg")
    return folder


# Network → what builds it in `keras.applications`, for random weights.
BUILDERS = {"mobilenet-v2": "MobileNetV2", "resnet50": "ResNet50", "vgg16": "VGG16"}
_SAVE_WEIGHTS = """
import keras, sys
keras.utils.set_random_seed(0)
getattr(keras.applications, sys.argv[1])(weights=None).save_weights(sys.argv[2])
"""


def random_weights(name: str, folder: Path) -> Path:
    """Write weights of a network of `BUILDERS`; they take the same time as the published ones."""
    path = folder / f"{name}.weights.h5"
    command = [sys.executable, "-c", _SAVE_WEIGHTS, BUILDERS[name], str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


@contextmanager
def environment(**values: Path) -> Iterator[None]:
    """Set variables of the environment for the time of a block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update({name: str(value) for name, value in values.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def imgcls(*arguments: str | os.PathLike[str]) -> list[str]:
    """Return the command line of the installed program."""
    return [str(Path(sys.executable).with_name("imgcls")), *map(os.fspath, arguments)]


def script(name: str, *arguments: str | os.PathLike[str]) -> list[str]:
    """Return the command line of a script beside this file."""
    return [sys.executable, str(HERE / name), *map(os.fspath, arguments)]


def process(command: Sequence[str], *, keep: bool = True) -> Run:
    """Run a command to its end; `keep` its standard output or read it away.

    Raises:
        RuntimeError: it fails.
    """
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    first = child.stdout.read(1)
    first_byte = time.perf_counter() - started
    output = first
    while block := child.stdout.read(1 << 20):
        output += block if keep else b""
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {child.returncode}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Run(
        seconds,
        usage.ru_maxrss / unit if usage.ru_maxrss > mine else math.nan,
        output.decode(),
        first_byte,
        usage.ru_utime + usage.ru_stime,
    )


def seconds(command: Sequence[str]) -> Callable[[], float]:
    """Return what runs a command and returns its time, for `in_turn`."""
    return lambda: process(command, keep=False).seconds


# Without what this process has imported.
_SMALL = """
import sys
sys.path.insert(0, sys.argv[1])
from measure import process
print(process(sys.argv[2:], keep=False).megabytes)
"""


def peak_memory(command: Sequence[str]) -> float:
    """Run a command to its end; return its peak memory in megabytes, whatever this process has."""
    here = os.path.dirname(__file__)
    return float(process([sys.executable, "-c", _SMALL, here, *command]).output)


@dataclass(frozen=True)
class Pair:
    """Medians of several alternating runs, and of the ratios pair by pair."""

    ours: float
    usual: float
    ratio: float


def paired(ours: Callable[[], float], usual: Callable[[], float], runs: int) -> Pair:
    """Measure two costs in turn, so that both see the same machine; the first pair is not counted.

    Args:
        ours: returns a cost, as seconds or megabytes; less is better.
        usual: the same for what it is compared with.
        runs: how many pairs count.
    """
    costs = in_turn({"ours": ours, "usual": usual}, runs)
    return Pair(
        statistics.median(costs["ours"]),
        statistics.median(costs["usual"]),
        ratio(costs, "usual"),
    )


def in_turn(ways: Mapping[str, Callable[[], T]], runs: int) -> dict[str, list[T]]:
    """Measure several ways in turn; the first round is not counted.

    Args:
        ways: name → what measures it, and returns a cost or a run.
        runs: how many rounds count.
    """
    rounds = [{name: way() for name, way in ways.items()} for _ in range(runs + 1)]
    return {name: [costs[name] for costs in rounds[1:]] for name in ways}


def compared(
    what: str,
    costs: Mapping[str, list[float]],
    say: Callable[[float], str],
    goal: float = 0.0,
    others: Iterable[str] = (),
) -> Row:
    """Return the row of what `in_turn` measured.

    Args:
        what: was measured.
        costs: of "ours", of "usual", and of "bound" where there is one.
        say: turns a median cost into a figure with its unit.
        goal: the least ratio that is wanted; 0 for none.
        others: further names in `costs`, of which the best one is told.
    """
    ratios = {name: ratio(costs, name) for name in costs}
    best = min(others, key=ratios.__getitem__, default="")
    return Row(
        what,
        *(say(statistics.median(costs[way])) for way in ("ours", "usual")),
        ratios["usual"],
        goal,
        ratios.get("bound", 0.0),
        best,
        ratios.get(best, 0.0),
    )


def ratio(costs: Mapping[str, list[float]], name: str) -> float:
    """Return how many times as much as "ours" a way costs: the median, round by round."""
    return statistics.median(
        theirs / mine for mine, theirs in zip(costs["ours"], costs[name], strict=True)
    )
