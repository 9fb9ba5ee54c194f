"""Print the table of figures that the README quotes: `make bench`.

Every figure stands beside the usual way's on the same machine in the same run; medians of
alternating runs. The other ways are those of `other_ways.py` that are installed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from measure import HEADER, caption

# Each has rows(photos, runs).
PARTS = ("predict", "heatmap", "activations", "features", "finetune")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--photos", type=Path, help="a folder of 100 to 1000 photos")
    parser.add_argument("--runs", type=int, default=5, help="pairs that count (default 5)")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    print(f"{caption()}\n")
    print(HEADER)
    for part in options.parts or PARTS:
        for row in importlib.import_module(part).rows(options.photos, options.runs):
            print(row.markdown(), flush=True)


if __name__ == "__main__":
    main()
