"""What a model file says, as text and JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.familiarity import Familiarity
from imgcls.core.models.head import Head
from imgcls.core.models.model_file import ModelFile
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.render.model_file import FORMATS

HEAD = Head(
    (
        (np.zeros((8, 4), np.float32), np.zeros(4, np.float32)),
        (np.zeros((4, 2), np.float32), np.zeros(2, np.float32)),
    )
)
FILE = ModelFile(
    backbone="vgg16",
    backbone_weights="own",
    weights_sha256="ab12",
    head=HEAD,
    labels=("cat", "dog"),
    preprocessing=Preprocessing(224, 256, "lite", "bicubic"),
    training={
        "train_images": {"cat": 3, "dog": 4},
        "stages": ["features"],
        "seed": 0,
        "weights": None,
    },
    metrics={"val_accuracy": 0.12345678, "val_loss": 1e-9},
    versions={"imgcls": "1", "numpy": "2"},
)
DESCRIBED = NetworkDescription(
    (
        Layer("image", "input", (), {"height": 8, "width": 6, "channels": 3}),
        Layer("conv", "conv2d", ("image",), {"filters": 4, "kernel_size": (3, 3)}),
        Layer("flat", "flatten", ("conv",)),
        Layer("dense", "dense", ("flat",), {"units": 50}),
    )
)


def shown(name: str, file: ModelFile) -> str:
    return "".join(FORMATS[name]("my.safetensors", file))


def test_text_is_a_line_a_fact() -> None:
    assert shown("text", FILE) == (
        "my.safetensors\n"
        "  backbone       vgg16\n"
        "  its weights    its own, SHA-256 ab12\n"
        "  head           8 → 4 → 2\n"
        "  labels         cat, dog\n"
        "  preprocessing  shorter side to 256, centre crop 224×224, bicubic; RGB, (x − 127) / 128\n"
        "  val accuracy   0.123457\n"
        "  val loss       1e-09\n"
        "  train images   cat 3, dog 4\n"
        "  stages         features\n"
        "  seed           0\n"
        "  weights        None\n"
        "  written with   imgcls 1, numpy 2\n"
    )


def test_a_described_network_is_counted_and_says_what_heatmaps_look_at() -> None:
    file = replace(FILE, backbone_weights="stored", head=None, described=DESCRIBED)
    lines = shown("text", file).splitlines()[1:5]
    # 3·3·3·4 + 4 of the convolution; 6·4·4 numbers to 50, and 50
    assert [line.split(maxsplit=1) for line in lines[:1]] == [
        ["network", f"described in the file: 4 layers, {112 + 96 * 50 + 50:,} parameters"],
    ]
    assert lines[1].split() == ["heatmaps", "look", "at", "conv"]
    assert lines[2].endswith("  in the file") and lines[3].split() == ["head", "none"]


def test_json_has_all_but_the_tensors() -> None:
    found = json.loads(shown("json", FILE))
    assert list(found) == [
        *("file", "backbone", "backbone_weights", "weights_sha256", "head", "labels"),
        *("preprocessing", "features", "metrics", "training", "versions"),
    ]
    assert found["head"] == [8, 4, 2] and found["labels"] == ["cat", "dog"]
    assert found["preprocessing"] == {
        "size": 224,
        "resize_to": 256,
        "scaling": "lite",
        "interpolation": "bicubic",
        "resize": "crop",
    }
    assert found["features"] is None  # the network's own
    assert found["metrics"]["val_accuracy"] == 0.12345678
    assert json.loads(shown("json", replace(FILE, head=None)))["head"] == []


def test_a_strangers_file_sends_nothing_to_the_terminal() -> None:
    odd = replace(FILE, labels=("\x1b[2Jcat",), training={"\x1bkey": "\x07value"})
    assert "\x1b" not in shown("text", odd) and "\x07" not in shown("text", odd)
    assert "\\x1bkey" in shown("text", odd) and "\\x1b[2Jcat" in shown("text", odd)


def test_text_says_whether_it_knows_what_is_familiar() -> None:
    assert "familiarity" not in shown("text", FILE)
    one = np.ones((2, 1, 4), np.float32), np.ones(7, np.float32)
    known = shown("text", replace(FILE, familiarity=Familiarity(*one)))
    assert re.search(r"^  familiarity +compared with 7 photos$", known, re.MULTILINE)
