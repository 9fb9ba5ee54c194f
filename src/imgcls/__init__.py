"""imgcls: classify images, see why, and learn new classes.

The names below are the whole public API; each is imported when it is first used.
"""

from __future__ import annotations

from imgcls.core.errors import (
    ClusterError,
    ImageError,
    ImgclsError,
    LabelError,
    ModelError,
    NoImagesError,
    OutputError,
    UsageError,
    WeightsError,
)
from imgcls.core.version import __version__

TYPE_CHECKING = False  # what typing has; its import would take longer than all else here

if TYPE_CHECKING:
    from typing import Any

    from imgcls.core.engines.model import Model, load_model
    from imgcls.core.tasks.auditing.audit import audit
    from imgcls.core.tasks.classify.classify import Prediction, Record, classify
    from imgcls.core.tasks.export.export import ExportedModel, export
    from imgcls.core.tasks.export.options import ExportOptions
    from imgcls.core.tasks.features.features import FeatureRow, features
    from imgcls.core.tasks.heatmap.activations import Activations, activations
    from imgcls.core.tasks.heatmap.drawn_photos import DrawnPhoto, draw_predictions
    from imgcls.core.tasks.heatmap.explain import explain
    from imgcls.core.tasks.heatmap.explanation import Explanation, Unexplained
    from imgcls.core.tasks.heatmap.methods import CAM_METHODS
    from imgcls.core.tasks.labelled.audit import AuditReport, Finding
    from imgcls.core.tasks.labelled.evaluate import evaluate
    from imgcls.core.tasks.labelled.evaluation import Evaluation
    from imgcls.core.tasks.models.compile_ahead import CompiledAhead, compile_model
    from imgcls.core.tasks.models.fetch import FetchedWeights, fetch
    from imgcls.core.tasks.models.import_model import ImportedModel, ImportOptions, import_model
    from imgcls.core.tasks.models.layers import NetworkSummary, summarize
    from imgcls.core.tasks.training.finetune import FinetuneResult, finetune

__all__ = [
    "CAM_METHODS",
    "Activations",
    "AuditReport",
    "ClusterError",
    "CompiledAhead",
    "DrawnPhoto",
    "Evaluation",
    "Explanation",
    "ExportOptions",
    "ExportedModel",
    "FeatureRow",
    "FetchedWeights",
    "Finding",
    "FinetuneResult",
    "ImageError",
    "ImgclsError",
    "ImportOptions",
    "ImportedModel",
    "LabelError",
    "Model",
    "ModelError",
    "NetworkSummary",
    "NoImagesError",
    "OutputError",
    "Prediction",
    "Record",
    "Unexplained",
    "UsageError",
    "WeightsError",
    "__version__",
    "activations",
    "audit",
    "classify",
    "compile_model",
    "draw_predictions",
    "evaluate",
    "explain",
    "export",
    "features",
    "fetch",
    "finetune",
    "import_model",
    "load_model",
    "summarize",
]

_HOMES = {
    "Model": "imgcls.core.engines.model",
    "load_model": "imgcls.core.engines.model",
    "Prediction": "imgcls.core.tasks.classify.classify",
    "Record": "imgcls.core.tasks.classify.classify",
    "classify": "imgcls.core.tasks.classify.classify",
    "Evaluation": "imgcls.core.tasks.labelled.evaluation",
    "evaluate": "imgcls.core.tasks.labelled.evaluate",
    "ExportOptions": "imgcls.core.tasks.export.options",
    "ExportedModel": "imgcls.core.tasks.export.export",
    "export": "imgcls.core.tasks.export.export",
    "FeatureRow": "imgcls.core.tasks.features.features",
    "features": "imgcls.core.tasks.features.features",
    "Activations": "imgcls.core.tasks.heatmap.activations",
    "activations": "imgcls.core.tasks.heatmap.activations",
    "DrawnPhoto": "imgcls.core.tasks.heatmap.drawn_photos",
    "draw_predictions": "imgcls.core.tasks.heatmap.drawn_photos",
    "CAM_METHODS": "imgcls.core.tasks.heatmap.methods",
    "Explanation": "imgcls.core.tasks.heatmap.explanation",
    "Unexplained": "imgcls.core.tasks.heatmap.explanation",
    "explain": "imgcls.core.tasks.heatmap.explain",
    "AuditReport": "imgcls.core.tasks.labelled.audit",
    "Finding": "imgcls.core.tasks.labelled.audit",
    "audit": "imgcls.core.tasks.auditing.audit",
    "CompiledAhead": "imgcls.core.tasks.models.compile_ahead",
    "compile_model": "imgcls.core.tasks.models.compile_ahead",
    "FetchedWeights": "imgcls.core.tasks.models.fetch",
    "fetch": "imgcls.core.tasks.models.fetch",
    "ImportOptions": "imgcls.core.tasks.models.import_model",
    "ImportedModel": "imgcls.core.tasks.models.import_model",
    "import_model": "imgcls.core.tasks.models.import_model",
    "NetworkSummary": "imgcls.core.tasks.models.layers",
    "summarize": "imgcls.core.tasks.models.layers",
    "FinetuneResult": "imgcls.core.tasks.training.finetune",
    "finetune": "imgcls.core.tasks.training.finetune",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
