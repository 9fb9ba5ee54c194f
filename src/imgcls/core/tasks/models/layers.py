"""The summary of a network: its layers, their shapes and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imgcls.core.models.find_model import find_spec, is_model_file, open_model_file
from imgcls.core.models.model_file import ModelFile
from imgcls.core.words import counted

if TYPE_CHECKING:
    from imgcls.core.keras.layer_rows import LayerRow


@dataclass(frozen=True)
class NetworkSummary:
    """What a network consists of.

    Attributes:
        model: its name or its file.
        layers: all of them, from the input to the logits.
    """

    model: str
    layers: tuple[LayerRow, ...]

    def __repr__(self) -> str:
        """Return its size."""
        layers = counted(len(self.layers), "layer")
        return f"<NetworkSummary {self.model}: {layers}, {self.parameters:,} parameters>"

    @property
    def parameters(self) -> int:
        """How many numbers its weights are."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def statistics(self) -> int:
        """How many of the parameters are mean and variance of normalizations."""
        return sum(layer.statistics for layer in self.layers)

    @property
    def origins(self) -> dict[str, int]:
        """The parameters by where they come from: "trained", "frozen" and so on."""
        totals: dict[str, int] = {}
        for layer in self.layers:
            if layer.weights:
                totals[layer.weights] = totals.get(layer.weights, 0) + layer.parameters
        return totals

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a table of the layers."""
        from imgcls.core.notebook import heading, table

        rows = [
            (one.name, one.kind, "×".join(map(str, one.shape)), one.parameters, one.weights or "")
            for one in self.layers
        ]
        title = heading(f"{self.model}: {self.parameters:,} parameters")
        return title + table(("layer", "kind", "output", "parameters", "weights"), rows)


def summarize(model: str) -> NetworkSummary:
    """List the layers of a model, from the input to the logits; no weights are read.

    Args:
        model: a name from the table of models, or the path of a file written by `finetune` or
            `import_model`.

    Returns:
        Name, kind, output shape and parameters of each layer, and whether it was trained or
        stayed frozen when the file was written.

    Raises:
        ModelError: there is no such model, or the file is damaged.

    Example:
        >>> import imgcls
        >>> network = imgcls.summarize("vgg16")
        >>> first = network.layers[1]
        >>> first.name, first.kind, first.shape, first.parameters
        ('block1_conv1', 'Conv2D', (224, 224, 64), 1792)
        >>> network.parameters
        138357544
    """
    from imgcls.core.keras.layer_rows import network_rows, trained_rows

    if not is_model_file(model):
        return NetworkSummary(model, tuple(network_rows(find_spec(model), "published")))
    file = open_model_file(model)
    options = file.training.get("options")
    if file.head is None or not isinstance(options, dict):  # no training of ours
        return NetworkSummary(model, tuple(network_rows(file.spec, "imported", file.head)))
    return NetworkSummary(model, tuple(trained_rows(file.spec, file.head, _learned(file, options))))


def _learned(file: ModelFile, options: Mapping[str, Any]) -> int | None:
    """Return how many layers of the backbone the training changed; None for all."""
    stage = file.metrics.get("stage")  # of the best epoch, which the file holds
    if stage == "scratch":
        return None
    if stage != "fine-tuning" or file.backbone_weights == "own":
        return 0
    unfreeze = options.get("unfreeze")
    return unfreeze if type(unfreeze) is int and unfreeze >= 0 else None
