"""Options that several commands share, each declared once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, TypeVar

import click

from imgcls.core.engines.engine import ENGINES, PRECISIONS
from imgcls.core.errors import UsageError
from imgcls.core.models.labels import LANGUAGES
from imgcls.core.models.table import DEFAULT_MODEL
from imgcls.core.models.variant import MOST_PIXELS
from imgcls.core.pixels.preprocessing import INTERPOLATIONS, RESIZES
from imgcls.core.pixels.sources import Source, expand, read_list

F = TypeVar("F", bound=Callable[..., Any])


def bundle(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    """Make one decorator of several options, shown in the order given."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


inputs = bundle(
    click.argument("inputs", metavar="INPUT...", nargs=-1),
    click.option(
        "--files-from",
        metavar="FILE",
        help="Read the inputs' paths from FILE, one a line or Parquet; - is stdin.",
    ),
    click.option(
        "--null", is_flag=True, help="Paths in FILE are separated by NUL, as from find -print0."
    ),
)

named_model = bundle(
    click.option(
        "-m",
        "--model",
        default=DEFAULT_MODEL,
        envvar="IMGCLS_MODEL",
        show_default=True,
        metavar="MODEL",
        help="A model's name (imgcls models lists them), or a file that finetune or models import "
        "wrote.",
    ),
    click.option("--weights", metavar="FILE", help="Local weights for it (.h5 or .weights.h5)."),
)

model = bundle(
    named_model,
    click.option(
        "--engine",
        type=click.Choice(ENGINES),
        default="auto",
        show_default=True,
        help="What runs the model; auto takes LiteRT where it can, or OpenVINO where it was timed "
        "as faster: see models compile.",
    ),
)

language = click.option(
    "--labels",
    "language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="The language of the names of ImageNet's classes.",
)

preprocessing = bundle(
    click.option(
        "--resize",
        type=click.Choice(RESIZES),
        help="How an image is fitted to the network.  [default: the model's own way, crop]",
    ),
    click.option(
        "--interpolation",
        type=click.Choice(INTERPOLATIONS),
        help="The resampling filter.  [default: the model's own]",
    ),
)

size = click.option(
    "--size",
    type=click.IntRange(1, MOST_PIXELS),
    metavar="N",
    help="Build the network for images of N×N pixels.  [default: the network's own size]",
)


def features(begin: str) -> Callable[[F], F]:
    """Return the option --features.

    Args:
        begin: how its help begins.
    """
    return click.option(
        "--features",
        "features_",
        metavar="avg|flatten|LAYER",
        help=f"{begin} mean of the last feature map, all its places, or a layer by name (fc2 of "
        "vgg16).  [default: avg; flatten for simple-cnn]",
    )


precision = click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="float32",
    show_default=True,
    help="int8 is faster and a little less accurate; models compile --calibrate fits it to your "
    "photos.",
)

workers = click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many images to work on at once.  [default: one a processor core]",
)


def format_name(names: Iterable[str], help_: str) -> Callable[[F], F]:
    """Return the option -f for a command whose first format is the default.

    Args:
        names: the formats.
        help_: what is shown in them.
    """
    choices = list(names)
    return click.option(
        "-f",
        "--format",
        "format_name",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help=help_,
    )


def sources(
    inputs: tuple[str, ...],
    files_from: str | None,
    null: bool,
    expand: Callable[[Iterable[str]], Iterator[Source]] = expand,
) -> Iterator[Source]:
    """Return the sources that INPUT... and --files-from name.

    Args:
        inputs: as the user wrote them.
        files_from: a list of more.
        null: whether NUL ends a name in that list.
        expand: the sources that inputs stand for.

    Raises:
        UsageError: there are none, or they contradict each other.
    """
    if not inputs and files_from is None:
        raise UsageError("no INPUT; name images, folders, globs or URLs, or - for stdin")
    if files_from == "-" and "-" in inputs:
        raise UsageError("INPUT - and --files-from - both read stdin; use one of them")
    if null and files_from is None:
        raise UsageError("--null goes with --files-from")
    named = expand(inputs)
    return named if files_from is None else chain(named, read_list(files_from, null=null))
