"""The layers of a network with their parameters, without the parameters."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from imgcls.core.keras.layer_rows import LayerRow, network_rows, trained_rows
from imgcls.core.models.backbones import SCRATCH_MODELS
from imgcls.core.models.head import Head
from imgcls.core.models.spec import described_spec
from imgcls.core.models.table import MODELS
from imgcls.core.pixels.preprocessing import Preprocessing
from tests.core.engines.test_described import POOLED, WHOLE

SPEC = described_spec(POOLED, Preprocessing(16, 16, "none"), has_head=True)


def head(*widths: int) -> Head:
    pairs = pairwise(widths)
    return Head(
        tuple((np.zeros(pair, np.float32), np.zeros(pair[1], np.float32)) for pair in pairs)
    )


def test_a_described_network() -> None:
    spec = described_spec(WHOLE, Preprocessing(16, 16, "none"), has_head=False)
    assert network_rows(spec, "imported") == [
        LayerRow("image", "InputLayer", (16, 16, 3), 0, 0, None),
        LayerRow("scaled", "Rescaling", (16, 16, 3), 0, 0, None),
        LayerRow("bgr", "ReverseChannels", (16, 16, 3), 0, 0, None),
        LayerRow("conv", "Conv2D", (16, 16, 4), 3 * 3 * 3 * 4 + 4, 0, "imported"),
        LayerRow("norm", "BatchNormalization", (16, 16, 4), 4 * 4, 2 * 4, "imported"),
        LayerRow("act", "Activation", (16, 16, 4), 0, 0, None),
        LayerRow("pool", "MaxPooling2D", (8, 8, 4), 0, 0, None),
        LayerRow("conv2", "Conv2D", (6, 6, 5), 3 * 3 * 4 * 5 + 5, 0, "imported"),
        LayerRow("gap", "GlobalAveragePooling2D", (1, 1, 5), 0, 0, None),
        LayerRow("logits", "Conv2D", (1, 1, 3), 5 * 3 + 3, 0, "imported"),
        LayerRow("flat", "Flatten", (3,), 0, 0, None),
    ]


@pytest.mark.parametrize(
    ("learned", "trained"),
    [(0, set()), (1, {"conv2"}), (2, {"conv", "conv2"}), (None, {"conv", "conv2"})],
)
def test_what_was_trained(learned: int | None, trained: set[str]) -> None:
    """A batch normalization is none of the layers that `unfreeze` counts."""
    *backbone, first, second = trained_rows(SPEC, head(5, 7, 2), learned)
    weights = {row.name: row.weights for row in backbone if row.weights}
    assert weights == {
        name: "trained" if name in trained else "frozen" for name in ("conv", "norm", "conv2")
    }
    assert first == LayerRow("imgcls_head_0", "Dense", (7,), 5 * 7 + 7, 0, "trained")
    assert second == LayerRow("imgcls_head_1", "Dense", (2,), 7 * 2 + 2, 0, "trained")


def test_a_network_trained_from_scratch() -> None:
    rows = trained_rows(SCRATCH_MODELS["simple-cnn"], head(50176, 128, 2), None)
    assert [row.name for row in rows if row.weights] == [
        *("conv1", "conv2", "conv3", "imgcls_head_0", "imgcls_head_1")
    ]
    assert {row.weights for row in rows if row.parameters} == {"trained"}


def test_the_top_of_a_trained_network_is_the_head() -> None:
    rows = trained_rows(MODELS["efficientnet-lite0"], head(1280, 2), 0)
    assert [(row.name, row.shape) for row in rows[-3:]] == [
        ("top_activation", (7, 7, 1280)),
        ("pooled_features", (1280,)),
        ("imgcls_head_0", (2,)),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_parameters_of_every_model(name: str) -> None:
    rows = network_rows(MODELS[name], "published")
    assert sum(row.parameters for row in rows) == MODELS[name].parameters
    assert all(None not in row.shape for row in rows)


@pytest.mark.linux
def test_no_memory_is_taken_for_the_weights() -> None:
    resource = pytest.importorskip("resource")
    import keras  # noqa: F401  # what it takes itself is not counted

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = network_rows(MODELS["vgg16"], "published")
    assert sum(row.parameters for row in rows) == MODELS["vgg16"].parameters
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB; 528 MB
