"""A model that travels: the same scores, verified by its hash."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imgcls.core.engines.model import load_model
from imgcls.core.errors import ModelError
from imgcls.core.tasks.cluster.parcel import pack, unpack


@pytest.mark.usefixtures("compiled_default")
def test_it_gives_the_same_scores_on_a_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(threads=1)
    parcel, content = pack(model)
    parcel = pickle.loads(pickle.dumps(parcel))  # as it travels
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "node"))
    batch = np.random.default_rng(0).standard_normal((1, 224, 224, 3), np.float32)
    arrived = unpack(parcel, content, threads=1)
    np.testing.assert_array_equal(arrived.scores(batch), model.scores(batch))
    assert arrived.network.weights_id == model.network.weights_id
    # What is there and whole is used again; what was damaged is written again.
    (file,) = (tmp_path / "node" / "compiled").glob("*/model.tflite")
    before = file.stat().st_mtime_ns
    unpack(parcel, content, threads=1)
    assert file.stat().st_mtime_ns == before
    file.write_bytes(b"damaged")
    arrived = unpack(parcel, content, threads=1)
    np.testing.assert_array_equal(arrived.scores(batch), model.scores(batch))


@pytest.mark.usefixtures("compiled_default")
def test_what_did_not_arrive_whole_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcel, content = pack(load_model(threads=1))
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "node"))
    with pytest.raises(ModelError, match="did not arrive as it was sent; run it again"):
        unpack(replace(parcel, sha256="0" * 64), content, threads=1)


@pytest.mark.usefixtures("compiled_default")
def test_a_node_without_openvino_runs_the_same_file_on_litert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcel, content = pack(load_model(engine="litert", threads=1))
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "node"))
    monkeypatch.setitem(sys.modules, "openvino", None)
    arrived = unpack(replace(parcel, engine="openvino"), content, threads=1)
    assert arrived.engine.name == "litert"
