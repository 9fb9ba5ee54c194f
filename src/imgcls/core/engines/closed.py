"""A model that is known but not opened, for inputs of which none is there."""

from __future__ import annotations

from imgcls.core.arrays import Float32Array, Output
from imgcls.core.engines.model import Model
from imgcls.core.models.find_model import find_model
from imgcls.core.models.labels import Language


class _NoEngine:
    """Runs nothing: no image comes so far."""

    name = "none"
    batch_size = 1
    one_by_one = True
    parallel = 1

    def run(self, batch: Float32Array, outputs: tuple[Output, ...]) -> list[Float32Array]:
        raise AssertionError("the model is closed")

    def classifier_kernel(self) -> Float32Array:
        raise AssertionError("the model is closed")


def closed_model(ref: str, weights: str | None = None, language: Language = "en") -> Model:
    """Return a model that says what it is and cannot run; nothing is fetched or compiled.

    Args:
        ref: a name from the table of models, or the path of a model file.
        weights: a local weights file for a named model.
        language: of the labels of a named model.

    Raises:
        UsageError: weights or a language are given for a file that has its own.
        ModelError: there is no such model, or the file is damaged.
        WeightsError: the weights file that is given is not there.
    """
    found = find_model(ref, weights, language, fetch=False)
    network, preprocessing, labels, head, familiarity = found
    engine = _NoEngine()
    return Model(ref, network, preprocessing, labels, engine, head, "float32", familiarity)
