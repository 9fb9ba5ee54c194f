"""The start of a process beside the least that Python needs for it, and the slowest imports.

`python benchmarks/start.py`: whole processes in turn, medians of the runs and, for a machine that
is busy, the fastest of each.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from measure import SAMPLES, caption, imgcls, in_turn, process, seconds

from imgcls.core.engines.compiled.folder import MODEL_FILE, compiled_folder
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights

_LINE = re.compile(rb"import time:\s+(\d+) \|\s+(\d+) \| *(\S+)")

# What any program needs that reads a photo and runs the network, without the program.
FLOOR = """
import sys
import numpy, PIL.Image
from ai_edge_litert.interpreter import Interpreter
network = Interpreter(sys.argv[1], num_threads=1)
network.allocate_tensors()
details = network.get_input_details()[0]
network.set_tensor(details["index"], numpy.zeros(details["shape"], numpy.float32))
network.invoke()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    photo = SAMPLES / "cat.jpg"
    process(imgcls("predict", photo))  # compiles, once
    model = compiled_file()
    print(f"{caption()}\n")
    print("| what | imgcls | the least | ratio of medians | of the fastest | wanted |")
    print("|---|---|---|---|---|---|")
    python = [sys.executable, "-c"]
    for what, ours, least, wanted in (
        ("`imgcls --help` (least: `python -c pass`)", imgcls("--help"), [*python, "pass"], 2.5),
        ("`imgcls predict --help`", imgcls("predict", "--help"), [*python, "pass"], 2.5),
        (
            "one photo (least: import numpy, PIL and LiteRT, run the network once)",
            imgcls("predict", photo),
            [*python, FLOOR, str(model)],
            1.35,
        ),
    ):
        mine, floor = in_turn({"ours": seconds(ours), "least": seconds(least)}, runs).values()
        middle, low = statistics.median(mine), statistics.median(floor)
        print(
            f"| {what} | {1000 * middle:.0f} ms | {1000 * low:.0f} ms | {middle / low:.2f} "
            f"| {min(mine) / min(floor):.2f} | {wanted} |"
        )
    for title, arguments in (
        ("imgcls --help", ["--help"]),
        ("imgcls predict cat.jpg", ["predict", str(photo)]),
    ):
        _slowest_imports(title, arguments)


def compiled_file() -> Path:
    """Return the default model, which some command has compiled.

    It is not opened: what this process takes would count as memory of those that it starts.
    """
    spec = MODELS[DEFAULT_MODEL]
    network = Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec))
    return compiled_folder(network) / MODEL_FILE


def _slowest_imports(title: str, arguments: Sequence[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "imgcls", *arguments],
        capture_output=True,
        check=True,
    )
    found = [(int(m[1]), m[3].decode()) for m in _LINE.finditer(done.stderr)]
    print(f"\n`{title}`: {len(found)} modules, {sum(t for t, _ in found) / 1000:.0f} ms\n")
    print("| module | its own milliseconds |\n|---|---|")
    for microseconds, module in sorted(found, reverse=True)[:10]:
        print(f"| `{module}` | {microseconds / 1000:.1f} |")


if __name__ == "__main__":
    main()
