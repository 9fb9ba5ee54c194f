"""The `imgcls` group, and how a command is run and ended."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from typing import Any, NoReturn

import click

from imgcls.cli import ready_help, signals
from imgcls.cli.failure import report
from imgcls.core.version import __version__

# Name → module in this folder, function. `imgcls --help` does not import what it only lists.
COMMANDS = {
    "predict": ("predict", "predict"),
    "heatmap": ("heatmap", "heatmap"),
    "activations": ("activations", "activations"),
    "features": ("features", "features"),
    "finetune": ("finetune", "finetune"),
    "export": ("export", "export"),
    "evaluate": ("evaluate", "evaluate"),
    "audit": ("audit", "audit"),
    "models": ("models", "models"),
    "doctor": ("doctor", "doctor"),
}

# Set by a shell that asks what a word could become.
_ASKED = "_IMGCLS_COMPLETE"


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
        module, function = COMMANDS[cmd_name]
        imported = importlib.import_module(f"imgcls.cli.{module}")
        gc.freeze()
        gc.enable()
        command: click.Command = getattr(imported, function)
        _take_common_options(command)
        if _ASKED in os.environ:
            from imgcls.cli.completion import take_completions

            take_completions(command)
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
            formatter.write_dl([(name, short_help(*row)) for name, row in COMMANDS.items()])


def short_help(module: str, function: str) -> str:
    """Read the first line of a command's docstring without importing what the command needs."""
    with open(os.path.join(os.path.dirname(__file__), f"{module}.py"), encoding="utf-8") as file:
        source = file.read()
    docstring = source.partition(f"\ndef {function}(")[2].partition('"""')[2]
    return docstring.partition("\n")[0].rstrip('"')


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
        ctx.obj.configure(**{str(option.name): True})


def _show_completion(ctx: click.Context, _: click.Parameter, shell: str | None) -> None:
    if shell is None:
        return
    from imgcls.cli.shells import SHELLS

    click.echo(SHELLS[shell](ctx.command, {}, "imgcls", _ASKED).source(), nl=False)
    ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": ready_help.WIDTH},
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
    help="Print the completion script for bash, zsh or fish, and how to install it.",
)
@click.pass_context
def cli(ctx: click.Context, verbose: bool, quiet: bool, offline: bool) -> None:
    """Classify images, see which pixels decided, and learn new classes.

    \b
    imgcls predict cat.jpg                      # what is in it
    imgcls heatmap cat.jpg -o why.png           # which pixels say so
    imgcls finetune photos/ -o mine.safetensors # learn the classes of its folders
    """
    from imgcls.cli.console import Console

    if offline:
        os.environ["IMGCLS_OFFLINE"] = "1"
    ctx.obj = Console(verbose=verbose, quiet=quiet)


def main() -> NoReturn:
    """Run the command line and exit."""
    _reopen_closed_streams()
    try:
        signals.begin()
        code = run(sys.argv[1:])
        signals.finish()
    except signals.Stopped as stop:
        signals.finish()
        code = report(stop)
    leave(code)


def _reopen_closed_streams() -> None:
    """Give what the caller closed a descriptor again, so that no file opened later takes it.

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
    try:
        return _run(arguments)
    except Exception as error:  # whatever it is becomes one line
        return report(error)


def _run(arguments: list[str]) -> int:
    if _ASKED in os.environ:
        from imgcls.cli.shells import use_own_scripts

        use_own_scripts()
        cli.main(arguments, prog_name="imgcls")
    # Not cli.main: it ends the process itself, with 1, where a pipe is closed.
    with cli.make_context("imgcls", arguments) as context:
        result: Any = cli.invoke(context)
    return result if isinstance(result, int) else 0


def leave(code: int) -> NoReturn:
    """End the process now, without waiting for threads that still decode an image."""
    import atexit

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # reported when it was written, or closed
            stream.flush()
    atexit._run_exitfuncs()
    os._exit(code)
