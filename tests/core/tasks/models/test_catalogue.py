"""Where the weights of a model are: here, in a package, to be fetched or to be installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from imgcls.core.models.spec import BundledWeights
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.tasks.models.catalogue import ListedModel, all_listed, listed


@pytest.fixture
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_weights_that_are_not_here_have_the_size_of_the_table(models_folder: Path) -> None:
    assert listed("vgg16") == ListedModel("vgg16", MODELS["vgg16"], "download", None, 528)


def test_weights_that_are_here_have_their_own_size(models_folder: Path) -> None:
    spec = MODELS["vgg16"]
    path = models_folder / "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
    with open(path, "wb") as file:
        file.truncate(3 * 2**20 + 2**19 + 1)  # 3.5 MB and a byte
    assert listed("vgg16") == ListedModel("vgg16", spec, "here", path, 4)


def test_a_folder_of_that_name_is_no_weights(models_folder: Path) -> None:
    (models_folder / "vgg16_weights_tf_dim_ordering_tf_kernels.h5").mkdir()
    assert listed("vgg16").where == "download"


def test_the_default_model_comes_with_the_program() -> None:
    found = listed(DEFAULT_MODEL)
    assert found.where == "bundled" and found.path is not None and found.path.is_file()
    assert found.megabytes == 18


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = MODELS["efficientnet-lite1"]
    assert isinstance(spec.weights, BundledWeights)
    monkeypatch.setitem(sys.modules, spec.weights.package, None)
    expected = ListedModel("efficientnet-lite1", spec, "install", None, None)
    assert listed("efficientnet-lite1") == expected


def test_the_whole_table_in_its_order(models_folder: Path) -> None:
    assert [one.name for one in all_listed()] == list(MODELS)
