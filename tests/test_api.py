"""The public names, as a Python program uses them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import imgcls
from imgcls.core.processor import usable_cores


@pytest.fixture(scope="module")
def model() -> imgcls.Model:
    return imgcls.load_model("efficientnet-lite0")


def test_every_name_is_there() -> None:
    for name in imgcls.__all__:
        assert getattr(imgcls, name) is not None
    assert dir(imgcls) == sorted(imgcls.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        imgcls.nothing  # noqa: B018


def test_import_is_light() -> None:
    code = (
        "import sys, imgcls\n"
        "heavy = {'numpy', 'PIL', 'click', 'tensorflow', 'keras', 'ai_edge_litert'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_classify_one_path(model: imgcls.Model, samples: Path) -> None:
    for path in (samples / "cat.jpg", str(samples / "cat.jpg")):
        (record,) = imgcls.classify(path, model, top=2)
        assert record == imgcls.Record(
            path=str(samples / "cat.jpg"),
            status="ok",
            model="efficientnet-lite0",
            width=451,
            height=300,
            predictions=record.predictions,
            error=None,
        )
        first, second = record.predictions
        assert (first.rank, first.class_id, first.label) == (1, "n02123159", "tiger_cat")
        assert (second.rank, second.class_id, second.label) == (2, "n02124075", "Egyptian_cat")
        assert first.score == pytest.approx(0.374538, abs=1e-5)
        assert second.score == pytest.approx(0.363797, abs=1e-5)


def test_classify_by_name_is_the_default_model(samples: Path) -> None:
    (by_default,) = imgcls.classify(samples / "cat.jpg")
    (by_name,) = imgcls.classify(samples / "cat.jpg", "efficientnet-lite0")
    assert by_default == by_name
    assert len(by_default.predictions) == 5


def test_records_come_in_order_with_failures_in_place(
    model: imgcls.Model, samples: Path, tmp_path: Path
) -> None:
    photos = sorted(samples.glob("*.jpg"))
    records = list(imgcls.classify([photos[1], tmp_path / "absent.jpg", samples], model, top=1))
    assert [record.path for record in records] == [
        *(str(photos[1]), str(tmp_path / "absent.jpg"), *map(str, photos)),
    ]
    failed = records[1]
    assert (failed.status, failed.error, failed.predictions) == ("error", "no such file", ())
    assert (failed.width, failed.height) == (None, None)


def test_records_are_lazy(model: imgcls.Model, samples: Path) -> None:
    consumed = 0

    def inputs() -> Iterator[Path]:
        nonlocal consumed
        while True:  # there is no end to wait for
            consumed += 1
            yield samples / "cat.jpg"

    records = imgcls.classify(inputs(), model, top=1, workers=2)
    for count in range(1, 21):
        assert next(records).predictions[0].label == "tiger_cat"
        # Two calls run, two more wait, one image is being handed over.
        assert consumed <= count + 4 * model.engine.batch_size + 1
    records.close()  # type: ignore[attr-defined]  # a generator


def test_nothing_is_read_before_the_first_record(model: imgcls.Model) -> None:
    def inputs() -> Iterator[Path]:
        raise RuntimeError("read")
        yield

    records = imgcls.classify(inputs(), model)
    with pytest.raises(RuntimeError, match=r"^read$"):
        next(records)


def test_one_model_serves_many_calls(model: imgcls.Model, samples: Path) -> None:
    first, second = (list(imgcls.classify(samples, model, top=3)) for _ in range(2))
    assert first == second
    assert len(first) == 5
    assert model.name == "efficientnet-lite0"
    assert len(model.labels) == 1000
    assert 1 <= model.engine.parallel <= usable_cores()


def test_min_confidence(model: imgcls.Model, samples: Path) -> None:
    (record,) = imgcls.classify(samples / "cat.jpg", model, min_confidence=0.5)
    assert record.status == "unknown"
    assert record.predictions[0].label == "tiger_cat"


def test_top_0_is_every_class(model: imgcls.Model, samples: Path) -> None:
    (record,) = imgcls.classify(samples / "cat.jpg", model, top=0)
    assert [prediction.rank for prediction in record.predictions] == list(range(1, 1001))
    assert sum(prediction.score for prediction in record.predictions) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("wrong", [{"top": -1}, {"min_confidence": 1.5}, {"workers": 0}])
def test_arguments_out_of_range(wrong: dict[str, float], samples: Path) -> None:
    (name,) = wrong
    with pytest.raises(imgcls.UsageError, match=f"^`{name}` must be "):
        imgcls.classify(samples, **wrong)  # type: ignore[arg-type]


def test_unknown_model() -> None:
    with pytest.raises(imgcls.ModelError, match=r"^resnet5: no such model; did you mean resnet50"):
        imgcls.load_model("resnet5")
