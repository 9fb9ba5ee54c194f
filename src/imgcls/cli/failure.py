"""What ended a command → its one line on standard error and its exit code."""

from __future__ import annotations

import errno
import os

import click

from imgcls.cli import signals
from imgcls.core.errors import ImgclsError, UsageError

EXIT_FAILED = 1
EXIT_USAGE = 2

# A write to a stream fails with one of these, and then the error names no file.
_STREAM_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EBADF, errno.EIO}

_NO_MEMORY = "not enough memory; end other programs, or lift the limit of this one (ulimit -v)"
# How libraries say that there is no memory when they are loaded or start a thread.
_MEMORY_SIGNS = (
    "cannot allocate memory",
    "failed to map segment",
    "can't start new thread",
    "failed with error '12'",
)


def report(error: BaseException) -> int:
    """Write the one line of what ended a command; return the exit code."""
    error = signals.raised or error  # a library may turn a stop into an error of its own
    match error:
        case signals.Stopped():
            word, code = error.args
            return _fail(word, code)
        case click.exceptions.Exit():
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return EXIT_USAGE
        case click.ClickException():
            return _fail(_of_click(error), EXIT_USAGE)
        case BrokenPipeError():
            return 0
        case UsageError():
            return _fail(str(error), EXIT_USAGE)
        case ImgclsError():
            return _fail(str(error), EXIT_FAILED)
    return _fail(_in_words(error), EXIT_FAILED)


def _of_click(error: click.ClickException) -> str:
    """Say in everyday words what click says in its own, and where the options are listed."""
    message = error.format_message()
    for kind, word in (("integer", "whole number"), ("float", "number")):
        message = message.replace(f"is not a valid {kind} range", f"is not a {word}")
    if isinstance(error, click.NoSuchOption) and error.ctx and not error.possibilities:
        return f"{message.rstrip('.')}; {error.ctx.command_path} --help lists them"
    return message


def _in_words(error: BaseException) -> str:
    """Say what went wrong where no part of the program foresaw it."""
    if isinstance(error, OSError) and error.errno in _STREAM_ERRORS and error.filename is None:
        return f"standard output: cannot be written: {error.strerror}"
    text = f"{error} {error.__cause__ or error.__context__ or ''}".lower()
    if isinstance(error, MemoryError) or any(sign in text for sign in _MEMORY_SIGNS):
        return _NO_MEMORY
    if isinstance(error, OSError) and error.strerror:  # of the system, not of ours
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, ImportError) and not (error.name or "").startswith("imgcls"):
        return f"a package that imgcls needs cannot be loaded ({error}); install imgcls anew"
    return f"imgcls stumbled ({type(error).__name__}: {error}); -v shows where"


def _fail(message: str, code: int) -> int:
    """Write the line of an error on standard error, under its traceback with -v."""
    try:
        import logging

        from imgcls.cli.wording import option_names
        from imgcls.core.safe import printable

        if logging.getLogger("imgcls").isEnabledFor(logging.DEBUG):  # -v
            import traceback

            traceback.print_exc()
        line = option_names(" ".join(message.split()))
        click.echo(f"Error: {printable(line)}", err=True)
    except (MemoryError, ImportError):  # there is none left even for this
        os.write(2, f"Error: {_NO_MEMORY}\n".encode())
    except OSError:
        pass  # standard error is full or closed: there is nowhere to say it
    return code
