"""What a word could become, asked as a shell's script does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.shell_completion import ShellComplete

from imgcls.cli.completion import COMPLETIONS, layer_names, takes_text
from imgcls.cli.main import cli
from imgcls.core.models.head import Head
from imgcls.core.models.model_file import ModelFile, write_model_file
from imgcls.core.models.table import MODELS

# Text that is no path and no name: numbers with units, lists of numbers, addresses.
FREE = {"unfreeze", "max_seconds", "augment", "hidden", "checks", "cluster"}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_IMGCLS_COMPLETE", "bash_complete")


def ends(*words: str) -> list[str]:
    """Return what the last word of a line could become; paths as KIND:ENDINGS."""
    shell = ShellComplete(cli, {}, "imgcls", "_IMGCLS_COMPLETE")
    *before, incomplete = words
    return [
        item.value if item.type == "plain" else f"{item.type}:{item.value}"
        for item in shell.get_completions(list(before), incomplete)
    ]


@pytest.fixture
def model(tmp_path: Path) -> str:
    """Write a model file of two classes."""
    path = tmp_path / "pets.safetensors"
    head = Head(((np.ones((1280, 2), np.float32), np.zeros(2, np.float32)),))
    file = ModelFile(
        backbone="efficientnet-lite0",
        backbone_weights="own",
        weights_sha256="5" * 64,
        head=head,
        labels=("tabby cat", "dog"),
        preprocessing=MODELS["efficientnet-lite0"].preprocessing,
        training={},
        metrics={},
        versions={},
    )
    write_model_file(path, file)
    return str(path)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("predict", ""), ["file:-"]),
        (("predict", "a.jpg", "b"), ["file:-"]),
        (("predict", "-o", ""), ["file:-"]),
        (("predict", "--files-from", "x"), ["file:.txt .lst .list .csv"]),
        (("predict", "--undo", ""), ["file:.csv"]),
        (("predict", "--sort-into", ""), ["dir:-"]),
        (("predict", "-m", "vgg1"), ["vgg16", "vgg19", "file:.safetensors"]),
        (("predict", "-f", "p"), ["parquet"]),
        (("heatmap", "--alpha", "e"), ["evidence"]),
        (("predict", "--weights", ""), ["file:.h5 .keras"]),
        (("finetune", ""), ["file:.csv"]),
        (("finetune", "-m", "simple"), ["simple-cnn", "file:.safetensors"]),
        (("predict", "-m", "simple"), ["file:.safetensors"]),
        (("evaluate", ""), ["file:.csv"]),
        (("evaluate", "--report", ""), ["file:.html"]),
        (("audit", ""), ["file:.csv"]),
        (("models", "info", "vgg19"), ["vgg19", "file:.safetensors"]),
        (("models", "fetch", "vgg19"), ["vgg19"]),
        (("models", "import", ""), ["file:.keras .h5 .hdf5"]),
        (("models", "import", "x.h5", "--labels", ""), ["file:.txt .json"]),
        (("heatmap", "--class", "Egyptian"), ["Egyptian_cat"]),
        (("heatmap", "--colormap", "cividis_"), ["cividis_r"]),
        (("heatmap", "-m", "vgg17", "--layer", ""), []),
        (("heatmap", "-m", "gone.safetensors", "--class", ""), []),
    ],
)
def test_a_word_is_completed_by_what_may_stand_there(
    words: tuple[str, ...], expected: list[str]
) -> None:
    assert ends(*words) == expected


def test_labels_of_a_model_file(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ends("heatmap", "a.jpg", "-m", model, "--class", "") == ["tabby cat", "dog"]
    assert ends("heatmap", "a.jpg", "--versus", "t", "-m", model)[-1:] == ["file:.safetensors"]
    monkeypatch.setenv("IMGCLS_MODEL", model)
    assert ends("heatmap", "a.jpg", "--class", "d") == ["dog"]


@pytest.mark.slow
def test_layers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from imgcls.core.tasks.heatmap import explain

    layers = layer_names("mobilenet")
    assert layers[0] == "conv1" and "conv_pw_13_relu" in layers
    assert ends("heatmap", "-m", "mobilenet", "--layer", "conv_pw_13")[-1] == "conv_pw_13_relu"
    assert ends("finetune", "-m", "mobilenet", "--features", "f") == ["flatten"]
    assert "top_activation" in ends("activations", "--layer", "top")

    def none(name: str) -> Any:
        raise AssertionError(name)

    monkeypatch.setattr(explain, "layers_of", none)
    assert layer_names("mobilenet") == layers


def leaves(group: click.Group) -> Iterator[click.Command]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command)
        else:
            yield command


def test_every_parameter_of_text_completes_or_is_known_not_to() -> None:
    texts = {
        str(parameter.name)
        for command in leaves(cli)
        for parameter in command.params
        if takes_text(parameter)
    }
    assert texts - set(COMPLETIONS) == texts & FREE
    assert not set(COMPLETIONS) & FREE
