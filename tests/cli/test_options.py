"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from imgcls.cli.options import bundle, format_name, model, sources
from imgcls.core.errors import UsageError


@pytest.mark.parametrize(
    ("inputs", "files_from", "null", "message"),
    [
        ((), None, False, "no INPUT; name images, folders, globs or URLs, or - for stdin"),
        (("-",), "-", False, "INPUT - and --files-from - both read stdin; use one of them"),
        (("a.jpg",), None, True, "--null goes with --files-from"),
        ((), None, True, "no INPUT; name images, folders, globs or URLs, or - for stdin"),
    ],
)
def test_inputs_that_lack_or_contradict_each_other_are_refused_at_once(
    inputs: tuple[str, ...], files_from: str | None, null: bool, message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        sources(inputs, files_from, null)
    assert str(raised.value) == message


def test_inputs_come_before_those_of_the_list(tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.write_bytes(b"b*.jpg\nc.jpg\n")
    found = sources(("-", "a.jpg"), str(names), False)
    assert [one.name for one in found] == ["-", "a.jpg", "b*.jpg", "c.jpg"]
    names.write_bytes(b"b\n.jpg\0c.jpg\0")
    assert [one.name for one in sources((), str(names), True)] == ["b\n.jpg", "c.jpg"]


def test_a_list_is_opened_when_its_turn_comes(tmp_path: Path) -> None:
    found = sources(("a.jpg",), str(tmp_path / "gone"), False)
    assert next(found).name == "a.jpg"
    with pytest.raises(UsageError, match="gone"):
        next(found)


def test_help_shows_options_in_the_order_given() -> None:
    @click.command()
    @bundle(click.option("--one"), click.option("--two"), click.argument("three"))
    def command(**_: str) -> None: ...

    assert [one.name for one in command.params] == ["one", "two", "three"]


def test_the_first_format_is_the_default() -> None:
    @click.command()
    @format_name({"text": 1, "json": 2}, "How.")
    def command(format_name: str) -> None: ...

    (option,) = command.params
    assert option.name == "format_name" and option.default == "text"
    assert list(option.type.choices) == ["text", "json"]  # type: ignore[attr-defined]


def test_a_model_comes_from_the_environment_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @click.command()
    @model
    def command(model: str, weights: str | None, engine: str) -> tuple[str, str | None, str]:
        return model, weights, engine

    def chosen(*arguments: str) -> object:
        return command.main(list(arguments), standalone_mode=False)

    monkeypatch.delenv("IMGCLS_MODEL", raising=False)
    assert chosen() == ("efficientnet-lite0", None, "auto")
    monkeypatch.setenv("IMGCLS_MODEL", "vgg16")
    assert chosen() == ("vgg16", None, "auto")
    assert chosen("-m", "resnet50", "--engine", "keras") == ("resnet50", None, "keras")
