"""The layer whose features are asked for is looked for before anything is fetched or compiled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imgcls.core.engines import layer_check as module
from imgcls.core.engines.layer_check import check_features_layer
from imgcls.core.engines.model import load_model
from imgcls.core.errors import UsageError, WeightsError
from imgcls.core.models.find_model import find_model
from imgcls.core.models.variant import Variant
from imgcls.core.models.weights import Network


def network(name: str, features: str) -> Network:
    return find_model(name, fetch=False).network.varied(Variant(features=features))


@pytest.mark.slow
def test_a_layer_that_is_not_there_is_said_before_weights_that_are_not() -> None:
    with pytest.raises(UsageError, match=r"^avg_pol: no such layer; did you mean avg_pool or "):
        load_model("resnet50", variant=Variant(features="avg_pol"))
    with pytest.raises(WeightsError):
        load_model("resnet50", variant=Variant(features="avg_pool"))


@pytest.mark.slow
def test_nothing_is_compiled_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path))
    caplog.set_level("INFO", logger="imgcls")
    with pytest.raises(UsageError, match=r"^top_con: no such layer; did you mean top_conv or "):
        load_model(variant=Variant(features="top_con"))
    assert caplog.messages == []


def test_no_process_looks_for_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path))
    looked: list[str] = []
    monkeypatch.setattr(module, "run_child", lambda code, request, show: looked.append(request))
    for name, features in (("vgg16", "fc2"), ("vgg16", "flatten"), ("resnet50", "avg")):
        check_features_layer(network(name, features))
    was_compiled = network("efficientnet-lite0", "top_conv")
    os.makedirs(module.compiled_folder(was_compiled))
    check_features_layer(was_compiled)
    assert looked == []
