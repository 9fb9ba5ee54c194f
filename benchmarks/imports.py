"""Print the ten slowest imports of `imgcls --help` and of `imgcls predict`."""

from __future__ import annotations

import re
import subprocess
import sys

from measure import SAMPLES

_LINE = re.compile(rb"import time:\s+(\d+) \|\s+(\d+) \| *(\S+)")


def main() -> None:
    for title, arguments in (
        ("imgcls --help", ["--help"]),
        ("imgcls predict cat.jpg", ["predict", str(SAMPLES / "cat.jpg")]),
    ):
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
