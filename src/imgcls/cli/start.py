"""Where the process begins: first the signals, then all that takes time to import."""

from __future__ import annotations

from imgcls.cli import signals

signals.handle()

from imgcls.cli.main import main  # noqa: E402 - a signal may come while this is read

__all__ = ["main"]
