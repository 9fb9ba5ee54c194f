"""`imgcls models` and its subcommands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click

from imgcls.cli import options
from imgcls.cli.console import Console
from imgcls.cli.models_import import import_
from imgcls.cli.output import write_stdout
from imgcls.cli.summary import EXIT_SOME_FAILED
from imgcls.core.engines.engine import Precision
from imgcls.core.errors import ModelError, UsageError
from imgcls.core.progress import working
from imgcls.core.tasks.models.catalogue import ListedModel
from imgcls.render import models as render

_format = options.format_name(["text", "json"], "How to show it.")


@click.group(invoke_without_command=True)
@_format
@click.pass_context
def models(ctx: click.Context, /, format_name: str) -> None:
    """List, inspect, fetch, add, import and compile models.

    \b
    imgcls models
    imgcls models info mine.safetensors

    Without a command: the list.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_, format_name=format_name)
    elif ctx.get_parameter_source("format_name") is not click.core.ParameterSource.DEFAULT:
        raise UsageError(f"--format goes after {ctx.invoked_subcommand}")


@models.command("list")
@_format
def list_(format_name: str) -> None:
    """List the models that have a name.

    Their input size, parameters, published ImageNet top-1, the time an image takes here on one
    core (if the model was compiled) with the engine that --engine auto takes for many, and where
    the weights are.
    """
    from imgcls.core.tasks.models.catalogue import all_listed

    rows = _rows(all_listed())
    write_stdout(render.list_json(rows) if format_name == "json" else render.list_text(rows))


@models.command()
@click.argument("model", metavar="NAME|FILE")
@click.option(
    "--layers",
    is_flag=True,
    help="Show instead every layer with its kind, output, parameters, and whether it was trained.",
)
@_format
def info(model: str, layers: bool, format_name: str) -> None:
    """Show all that is known of a model, or what a model file says.

    \b
    imgcls models info vgg16
    imgcls models info mine.safetensors --layers

    Of a model: its preprocessing, weights with SHA-256, licence and source, and the layers that
    a heatmap may use. Of a file: what it was trained on, how, and how well it did.
    """
    from imgcls.core.models.find_model import is_model_file, open_model_file

    if layers:
        from imgcls.core.tasks.models.layers import summarize
        from imgcls.render.layers import FORMATS

        write_stdout(FORMATS[format_name](summarize(model)))
        return
    if is_model_file(model):
        from imgcls.render import model_file

        write_stdout(model_file.FORMATS[format_name](model, open_model_file(model)))
        return
    from imgcls.core.cache import content_id
    from imgcls.core.keras.spatial_layers import list_layers
    from imgcls.core.models.find_model import find_spec
    from imgcls.core.tasks.models.catalogue import listed

    spec = find_spec(model)
    with working(f"listing the layers of {model}"):
        spatial, default = list_layers(spec)
    found = listed(model)
    details = render.Details(content_id(found.path) if found.path else "", spatial, default)
    show = render.info_json if format_name == "json" else render.info_text
    (row,) = _rows([found])
    write_stdout(show(row, details))


@models.command(short_help="Download ImageNet weights into Keras' own folder.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.pass_obj
def fetch(console: Console, /, names: tuple[str, ...]) -> int:
    """Download ImageNet weights into Keras' own folder, and print where they are.

    \b
    imgcls models fetch vgg16 resnet50

    A download that was cut off goes on where it ended. KERAS_HOME names another folder.
    """
    from imgcls.core.tasks.models.fetch import fetch as fetch_all

    failures = []
    for fetched in fetch_all(names):
        if fetched.error is None:
            write_stdout([f"{fetched.name}: {fetched.path}\n"])
        else:
            failures.append(fetched.error)
            if len(names) > 1:
                console.say(f"Warning: {fetched.error}")
    if len(failures) == len(names):
        raise ModelError(failures[0] if len(names) == 1 else "none of the weights were fetched")
    return EXIT_SOME_FAILED if failures else 0


@models.command(short_help="Install weights copied to this machine.")
@click.argument("name", metavar="NAME")
@click.option("--weights", metavar="FILE", required=True, help="The file (.h5 or .weights.h5).")
def add(name: str, weights: str) -> None:
    """Install weights copied to this machine, after checking that they fit.

    \b
    imgcls models add vgg16 --weights vgg16.h5
    """
    from imgcls.core.models.find_model import find_spec
    from imgcls.core.tasks.models.add_weights import add_weights

    find_spec(name)
    write_stdout([f"{name}: {add_weights(name, weights)}\n"])


models.add_command(import_)


@models.command("compile", short_help="Compile a model for this machine ahead of time.")
@click.argument("name", metavar="NAME|FILE")
@click.option("--weights", metavar="FILE", help="Local weights for it (.h5 or .weights.h5).")
@options.precision
@click.option(
    "--calibrate",
    metavar="DIR",
    help="Photos like those to be classified; int8 is calibrated on the first 100.",
)
def compile_(name: str, weights: str | None, precision: Precision, calibrate: str | None) -> None:
    """Compile a model for this machine ahead of time, and print where it is.

    \b
    imgcls models compile vgg16
    imgcls models compile efficientnet-lite0 --precision int8 --calibrate photos/

    Of float32 it says how many images a second each engine that is installed makes here, their
    decoding included: --engine auto takes the fastest from then on. Of int8, what it gains in
    time and how far it agrees with float32. What needs no compiling any more is left as it is;
    with --calibrate it is made anew.
    """
    from imgcls.core.tasks.models.compile_ahead import compile_model

    done = compile_model(name, weights=weights, precision=precision, calibrate=calibrate)
    write_stdout(render.compiled_text(done))


@models.command("clear-cache", short_help="Remove compiled models and what else is kept.")
def clear_cache() -> None:
    """Remove what is kept to be faster: compiled models, of every version, and hashes.

    Weights stay. What is removed is made again when it is needed.
    """
    from imgcls.core.cache_clearing import clear_cache as clear

    write_stdout(_freed(clear()))


def _freed(removed: Iterator[Any]) -> Iterator[str]:
    total = 0
    for item in removed:
        total += item.size
        yield f"{item.name}  {render.size_text(item.size)}\n"
    yield f"freed {render.size_text(total)}\n"


def _rows(models: Iterable[ListedModel]) -> Iterator[render.Row]:
    from imgcls.core.engines.compiled.folder import all_facts, compiled_forms, milliseconds
    from imgcls.core.engines.speeds import listed_speeds

    kept = list(all_facts())
    for model in models:
        forms = list(compiled_forms(kept, model.name, model.spec))
        yield render.Row(model, milliseconds(forms), listed_speeds(forms))
