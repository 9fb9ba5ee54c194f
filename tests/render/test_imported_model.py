"""What `models import` says of what it made, and of what is not certain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from imgcls.core.models.described_layer import Layer
from imgcls.core.models.model_file import ModelFile
from imgcls.core.models.network_description import NetworkDescription
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.tasks.models.import_model import ImportedModel, PhotoCheck
from imgcls.render.imported_model import notes, text

IMAGE = Layer("image", "input", (), {"height": 224, "width": 224, "channels": 3})
CONV = Layer("conv", "conv2d", ("image",), {"filters": 100, "kernel_size": (7, 7)})
PREPROCESSING = Preprocessing(224, 224, "tf", resize="squash")
SCORES = "its scores differ by at most 3e-07 from those of the source (8 random images, 2 photos)"
IMAGES = "images: squashed to 224×224, bilinear; RGB, x / 127.5 − 1"


def imported(**training: Any) -> ImportedModel:
    said = {"recognised": "MobileNet", "ended_in": "softmax", **training}
    file = ModelFile(
        backbone="vgg16",
        backbone_weights="stored",
        weights_sha256="",
        head=None,
        labels=("cat", "dog"),
        preprocessing=PREPROCESSING,
        training=said,
    )
    return ImportedModel(file, 3.2e-7, 2, scaling_guessed=False, checks=())


def test_the_result_is_a_line() -> None:
    model = imported(recognised="Mobile\x1bNet")
    assert list(text("my\x1b.h5", model)) == [
        "my\\x1b.h5: Mobile\\x1bNet, 224×224 pixels, 2 classes\n",
    ]


def test_what_is_certain_is_two_lines() -> None:
    assert list(notes("my.h5", imported())) == [IMAGES, SCORES]


@pytest.mark.parametrize(
    ("training", "line"),
    [
        (
            {"dropped": {"dropout": 2, "random_flip": 1}},
            "dropped, since it only matters in training: 2 dropout, 1 random_flip",
        ),
        (
            {"folded": {"batch_normalization": 1}},
            "folded into the dense layers: 1 batch_normalization",
        ),
        ({"ended_in": "sigmoid"}, "one sigmoid became two classes, which can both be explained"),
        ({"ended_in": "logit"}, "one sigmoid became two classes, which can both be explained"),
        ({"scaled_by": ["a", "b"]}, "pixels are scaled inside the network: a, b"),
        ({"made_grey": True}, "it takes grey images: photos are made grey in the network"),
    ],
)
def test_what_was_done_is_said(training: dict[str, Any], line: str) -> None:
    assert list(notes("my.h5", imported(**training))) == [line, IMAGES, SCORES]


def test_a_described_network_is_counted() -> None:
    model = imported()
    described = replace(model.file, described=NetworkDescription((IMAGE, CONV)))
    first, *_ = notes("my.h5", replace(model, file=described))
    assert first == "recognised: MobileNet, 2 layers, 14,800 parameters"  # 7·7·3·100 + 100


def test_a_guess_is_a_warning_that_says_what_to_do() -> None:
    *_, last = notes("my.h5", replace(imported(), scaling_guessed=True))
    assert last == (
        "Warning: my.h5: nothing in the file says how pixels were scaled; taken is what MobileNet "
        "was trained on (RGB, x / 127.5 − 1); if that is wrong, so are all scores: say --scaling, "
        "and try --check PHOTO=LABEL"
    )


def test_a_photo_says_what_each_scaling_makes_of_it() -> None:
    right = PhotoCheck("a.jpg", "cat", {"tf": ("cat", 0.9), "caffe": ("dog", 0.25)})
    wrong = PhotoCheck("b.jpg", "cat", {"tf": ("dog", 0.125)})
    assert list(notes("my.h5", replace(imported(), checks=(right, wrong))))[2:] == [
        "a.jpg: cat 90.0% with tf (right)",
        "  with --scaling caffe: cat 25.0%, best dog",
        "b.jpg: cat 12.5% with tf (wrong, it says dog)",
    ]
