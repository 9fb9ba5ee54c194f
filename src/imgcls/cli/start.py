"""Where the process begins: signals first, then help, then all that takes time to import."""

from __future__ import annotations

import gc
import sys

from imgcls.cli import ready_help, signals

signals.handle()


def main() -> None:
    """Run the command line, and exit."""
    if ready_help.show(sys.argv[1:]):
        sys.exit()
    # Imports make objects that stay; to look among them for garbage takes 5% of a start. What
    # runs a command turns it on again.
    gc.disable()
    from imgcls.cli.main import main as run

    run()
