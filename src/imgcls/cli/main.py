"""The `imgcls` group and the one place where errors become messages and exit codes."""

from __future__ import annotations

import contextlib
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
    "finetune": (
        "imgcls.cli.finetune",
        "finetune",
        "Train a classifier on a folder of class folders.",
    ),
    "evaluate": ("imgcls.cli.evaluate", "evaluate", "Score a model on labelled images."),
    "audit": (
        "imgcls.cli.audit",
        "audit",
        "Find what is wrong with a labelled folder before training on it.",
    ),
    "models": (
        "imgcls.cli.models",
        "models",
        "List, inspect, fetch, add, import and compile models.",
    ),
}

EXIT_FAILED = 1
EXIT_USAGE = 2

# Signal → what it is called, exit code. click's own answer to Ctrl-C would add an empty line.
_SIGNALS = {signal.SIGINT: ("interrupted", 130), signal.SIGTERM: ("terminated", 143)}


class Stopped(BaseException):
    """A signal came."""


class LazyGroup(click.Group):
    """A group that imports a command only when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the contract."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        # Threads of numpy's linear algebra only delay the start; even a head that is trained
        # takes steps too small for them, and they stall when other work has the cores.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        module, function, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), function)
        _take_common_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; name those near to one that there is not."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            import difflib

            near = difflib.get_close_matches(name, COMMANDS)
            there_are = f"did you mean {' or '.join(near)}?" if near else "imgcls --help lists them"
            ctx.fail(f"{name}: no such command; {there_are}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row[2]) for name, row in COMMANDS.items()])


def _take_common_options(command: click.Command) -> None:
    """Let -v, -q and --offline stand after a command too; `imgcls --help` explains them."""
    if any(parameter.callback is _set_common for parameter in command.params):
        return
    for names in (["-v", "--verbose"], ["-q", "--quiet"], ["--offline"]):
        command.params.append(
            click.Option(names, is_flag=True, expose_value=False, hidden=True, callback=_set_common)
        )
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            _take_common_options(subcommand)


def _set_common(ctx: click.Context, option: click.Parameter, given: bool) -> None:
    if given and option.name == "offline":
        os.environ["IMGCLS_OFFLINE"] = "1"
    elif given:
        from imgcls.cli.console import Console

        asked = {"verbose": ctx.obj.verbose, "quiet": ctx.obj.quiet}
        ctx.obj = Console(**asked | {str(option.name): True})


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
    _reopen_closed_streams()
    for number in _SIGNALS:
        signal.signal(number, _stop)
    leave(run(sys.argv[1:]))


def _reopen_closed_streams() -> None:
    """Give what the caller closed a descriptor again, lest a file that is opened later takes it.

    Reading or writing there is an error like any other; messages go nowhere.
    """
    for name, mode, access in (
        ("stdin", "r", os.O_WRONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, access), mode))


def run(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    verbose = bool({"-v", "--verbose"} & set(arguments))
    try:
        if "_IMGCLS_COMPLETE" in os.environ:  # a shell asks what a word could become
            cli.main(arguments, prog_name="imgcls")
        # Not cli.main: it ends the process itself, with 1, where a pipe is closed.
        with cli.make_context("imgcls", arguments) as context:
            result: Any = cli.invoke(context)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    except click.ClickException as error:
        return _fail(error.format_message(), EXIT_USAGE)
    except Stopped as stop:
        word, code = stop.args
        return _fail(word, code)
    except BrokenPipeError:
        return 0
    except UsageError as error:
        return _fail(str(error), EXIT_USAGE, verbose)
    except ImgclsError as error:
        return _fail(str(error), EXIT_FAILED, verbose)
    except Exception as error:  # a bug of ours: still one line, and -v shows where
        kind = type(error).__name__
        return _fail(f"imgcls stumbled ({kind}: {error}); -v shows where", EXIT_FAILED, verbose)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(*_SIGNALS[signal.Signals(number)])


def _fail(message: str, code: int, verbose: bool = False) -> int:
    from imgcls.cli.wording import option_names
    from imgcls.render.safe import printable

    if verbose:
        import traceback

        traceback.print_exc()
    line = option_names(" ".join(message.split()))
    click.echo(f"Error: {printable(line)}", err=True)
    return code


def leave(code: int) -> NoReturn:
    """End the process now, without waiting for threads that still decode an image."""
    import atexit

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # reported when it was written, or closed
            stream.flush()
    atexit._run_exitfuncs()
    os._exit(code)
