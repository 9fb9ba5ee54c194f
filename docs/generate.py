"""Fill in what the documentation takes from the code: `make docs`.

A page holds a pair of marks, `<!-- generated: NAME -->` and `<!-- end -->`; what stands between
them is replaced by what the function of that name in `GENERATORS` returns. A name may have
arguments after it: `<!-- generated: help models fetch -->`.

The texts that `imgcls --help` prints without importing click are made from the same commands.

`--check` writes nothing and fails where a file is not up to date; a test runs it.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]

# What click takes on a terminal of 80 columns.
_WIDTH = 78

_MARKED = re.compile(r"(<!-- generated: ([a-z][^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def models() -> str:
    """Return the table of models."""
    from imgcls.core.models.spec import BundledWeights
    from imgcls.core.models.table import MODELS

    tried = json.loads((DOCS / "every_model.json").read_text())
    rows = [
        "| name | input | parameters | top-1 | weights | licence | preprocessing | heatmap layer | "
        "engine | difference |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, spec in MODELS.items():
        weights = spec.weights
        if isinstance(weights, BundledWeights):
            where = f"`imgcls[{weights.extra}]`" if weights.extra else "bundled"
        else:
            where = f"{weights.megabytes} MB"
        result = tried.get(name, {"engine": "", "reason": "not tried yet"})
        engine = {"litert": "LiteRT", "keras": "Keras", "": ""}[result["engine"]]
        difference = f"{result['difference']:.0e}" if "difference" in result else result["reason"]
        cells = [
            f"[`{name}`]({spec.paper})",
            f"{spec.preprocessing.size}×{spec.preprocessing.size}",
            f"{spec.parameters / 1e6:.1f} M",
            f"{spec.top1:.1f}%" if spec.top1 is not None else "",
            where,
            spec.licence,
            spec.preprocessing.in_words(),
            f"`{spec.cam_layer}`" if spec.cam_layer else "what the last pooling reads",
            engine,
            difference,
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def commands() -> str:
    """Return the help of the group and of every command, as the terminal shows it."""
    parts = []
    for names in command_names():
        heading = f"{'#' * (len(names) + 1)} {' '.join(names)}\n\n" if names else ""
        parts.append(f"{heading}{help_block(*names)}")
    return "\n\n".join(parts)


def command_names() -> Iterator[tuple[str, ...]]:
    """Yield the words that name the group, every command and every command of a command."""
    import click

    from imgcls.cli.main import cli

    yield ()
    context = click.Context(cli)
    for name in cli.list_commands(context):
        yield (name,)
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((name, inner) for inner in command.list_commands(context))


def help_of(*names: str) -> str:
    """Return what `imgcls NAMES... --help` prints, 80 columns wide."""
    import click

    from imgcls.cli.main import cli

    command: click.Command = cli
    context = click.Context(cli, info_name="imgcls", terminal_width=_WIDTH)
    for name in names:
        assert isinstance(command, click.Group)
        found = command.get_command(context, name)
        assert found is not None, names
        context = click.Context(found, info_name=name, parent=context, terminal_width=_WIDTH)
        context.help_option_names = ["-h", "--help"]
        command = found
    context.help_option_names = ["-h", "--help"]
    return command.get_help(context)


def help_block(*names: str) -> str:
    """Return a command's help as a block of code."""
    return f"```\n{help_of(*names)}\n```"


def api() -> str:
    """Return every public name: functions, then classes, then errors, with their docstrings."""
    import imgcls

    named = {name: getattr(imgcls, name) for name in imgcls.__all__}
    errors = {n: one for n, one in named.items() if isinstance(one, type) and _is_error(one)}
    classes = {n: one for n, one in named.items() if isinstance(one, type) and n not in errors}
    functions = {n: one for n, one in named.items() if inspect.isfunction(one)}
    parts = []
    for heading, group in (("Functions", functions), ("Classes", classes), ("Errors", errors)):
        parts.append(f"## {heading}")
        parts += [_api_entry(name, one) for name, one in group.items()]
    methods = ", ".join(f"`{name}`" for name in imgcls.CAM_METHODS)
    parts += ["## Constants", f"### CAM_METHODS\n\nThe methods of `explain` by name: {methods}."]
    return "\n\n".join(parts)


def _is_error(one: type) -> bool:
    return issubclass(one, BaseException)


def _api_entry(name: str, one: Any) -> str:
    """Return a name's heading, signature and docstring."""
    text = inspect.getdoc(one) or ""
    if isinstance(one, type) and not _is_error(one):
        for method, function in vars(one).items():
            if not method.startswith("_") and inspect.isfunction(function):
                text += f"\n\n.{method}{_signature(function)}\n"
                text += "    " + (inspect.getdoc(function) or "").replace("\n", "\n    ")
    signature = f"{name}{_signature(one)}\n\n" if inspect.isfunction(one) else ""
    # As it stands in the code: headings such as Args and Raises, and what is indented, stay so.
    plain = re.sub(r"[ \t]+$", "", f"{signature}{text}", flags=re.MULTILINE)
    return f"### {name}\n\n```text\n{plain}\n```"


def _signature(function: Any) -> str:
    """Return a signature with an argument a line where it is long."""
    signature = inspect.signature(function)
    shown = _without_quotes(str(signature))
    if len(shown) < 80:
        return shown
    lines, star = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            lines.append("    *,")
        lines.append(f"    {_without_quotes(str(parameter))},")
    result = signature.return_annotation
    return "(\n" + "\n".join(lines) + f"\n) -> {result}"


def _without_quotes(text: str) -> str:
    """Return a signature whose annotations, which are kept as text, stand without quotes."""
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)


# Name in a page's mark → what makes its text.
GENERATORS: Mapping[str, Callable[..., str]] = {
    "models": models,
    "api": api,
    "commands": commands,
    "help": help_block,
}


def filled(page: str) -> str:
    """Return a page with all that is generated made anew."""

    def replace(match: re.Match[str]) -> str:
        name, *arguments = match[2].split()
        return f"{match[1]}{GENERATORS[name](*arguments)}\n{match[3]}"

    return _MARKED.sub(replace, page)


def all_files() -> Iterator[tuple[Path, str]]:
    """Yield every file that is generated, or in part, and what is to be in it."""
    from imgcls.cli import ready_help

    for names in command_names():
        path = Path(ready_help.FOLDER, f"{ready_help.file_stem(list(names))}.txt")
        yield path, help_of(*names) + "\n"
    for path in PAGES:
        yield path, filled(path.read_text(encoding="utf-8"))


def main() -> int:
    """Write the files, or with `--check` name those that are not up to date."""
    stale = 0
    for path, after in all_files():
        if path.is_file() and path.read_text(encoding="utf-8") == after:
            continue
        stale += 1
        if "--check" in sys.argv[1:]:
            print(f"{path.name}: not up to date; run make docs", file=sys.stderr)
        else:
            path.write_text(after, encoding="utf-8")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
