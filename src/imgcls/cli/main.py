"""The `imgcls` group and the one place where errors become messages and exit codes."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from imgcls.core.errors import ImgclsError, UsageError
from imgcls.core.version import __version__

# Name → module, function, short help. `imgcls --help` must not import what it only lists; a
# test holds the short helps against the commands' own.
COMMANDS = {
    "predict": ("imgcls.cli.predict", "predict", "Classify images."),
    "heatmap": (
        "imgcls.cli.heatmap",
        "heatmap",
        "Draw which pixels made the model decide.",
    ),
}

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_SOME_FAILED = 3
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


class LazyGroup(click.Group):
    """A group that imports a command only when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the contract."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, function, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row[2]) for name, row in COMMANDS.items()])


def _show_completion(ctx: click.Context, _: click.Parameter, shell: str | None) -> None:
    if shell is None:
        return
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is None:
        raise click.BadParameter(f"{shell}: no such shell", ctx)
    click.echo(completion(ctx.command, {}, "imgcls", "_IMGCLS_COMPLETE").source())
    ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="imgcls %(version)s")
@click.option("-v", "--verbose", is_flag=True, help="Show what goes on, and tracebacks.")
@click.option("-q", "--quiet", is_flag=True, help="Show results and errors only.")
@click.option("--offline", is_flag=True, help="Never open a connection (IMGCLS_OFFLINE).")
@click.option(
    "--show-completion",
    metavar="SHELL",
    type=click.Choice(["bash", "zsh", "fish"]),
    callback=_show_completion,
    expose_value=False,
    is_eager=True,
    help="Print the completion script for bash, zsh or fish.",
)
@click.pass_context
def cli(ctx: click.Context, verbose: bool, quiet: bool, offline: bool) -> None:
    """Classify images, see which pixels decided, and learn new classes."""
    from imgcls.cli.console import Console

    if offline:
        os.environ["IMGCLS_OFFLINE"] = "1"
    ctx.obj = Console(verbose=verbose, quiet=quiet)


def main() -> NoReturn:
    """Run the command line and exit."""
    signal.signal(signal.SIGTERM, _terminated)
    leave(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    verbose = bool({"-v", "--verbose"} & set(arguments))
    try:
        result: Any = cli.main(arguments, prog_name="imgcls", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    except click.ClickException as error:
        return _fail(error.format_message(), EXIT_USAGE)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", EXIT_INTERRUPTED)
    except Terminated:
        return _fail("terminated", EXIT_TERMINATED)
    except BrokenPipeError:
        return 0
    except UsageError as error:
        return _fail(str(error), EXIT_USAGE, verbose)
    except ImgclsError as error:
        return _fail(str(error), EXIT_FAILED, verbose)


class Terminated(BaseException):
    """SIGTERM came."""


def _terminated(signum: int, frame: FrameType | None) -> None:
    raise Terminated


def _fail(message: str, code: int, verbose: bool = False) -> int:
    from imgcls.render.safe import printable

    if verbose:
        import traceback

        traceback.print_exc()
    click.echo(f"Error: {printable(' '.join(message.split()))}", err=True)
    return code


def leave(code: int) -> NoReturn:
    """End the process now, without waiting for threads that still decode.

    What standard output still holds was flushed record by record; only a failure to flush is
    left to pass over, and it was reported.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    import logging

    logging.shutdown()
    if "atexit" in sys.modules:
        import atexit

        atexit._run_exitfuncs()
    os._exit(code)
