"""What a model can be exported as, and how."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.models.exported_description import BESIDE
from imgcls.core.models.foreign_files import foreign_kind
from imgcls.core.output_file import linked_file

ExportPrecision = Literal["float32", "float16", "int8"]
EXPORT_PRECISIONS: tuple[ExportPrecision, ...] = get_args(ExportPrecision)

Batch = Literal["fixed", "dynamic"]
BATCHES: tuple[Batch, ...] = get_args(Batch)


@dataclass(frozen=True)
class ExportFormat:
    """A form that a model is exported in.

    Attributes:
        name: what people call it, and what runs it.
        precisions: of the weights that it can hold.
        batch: whether it takes one image at a time or any number, unless the user says
            otherwise; None where it always takes any number.
        takes_rgb: whether it takes RGB also where the network was trained on BGR; not where the
            layers are to be those of keras.applications, and `preprocess_input` goes before.
        packages: what is needed to write and run it, and may not be there.
        extra: the extra of imgcls that installs them.
        opset: the version of ONNX' operators, unless the user says otherwise; None elsewhere.
    """

    name: str
    precisions: tuple[ExportPrecision, ...] = ("float32",)
    batch: Batch | None = None
    takes_rgb: bool = False
    packages: tuple[str, ...] = ()
    extra: str = ""
    opset: int | None = None


# Versions of ONNX' operators that are written.
OPSETS = range(13, 24)

SAVED_MODEL = "/"
# What a SavedModel folder holds the description as.
IN_FOLDER = "imgcls.json"

# Ending of the output → what is written.
FORMATS: Mapping[str, ExportFormat] = {
    ".tflite": ExportFormat(
        "LiteRT", EXPORT_PRECISIONS, "fixed", takes_rgb=True, packages=("ai_edge_litert",)
    ),
    ".keras": ExportFormat("Keras"),
    ".h5": ExportFormat("Keras"),
    SAVED_MODEL: ExportFormat("TensorFlow"),
    ".onnx": ExportFormat(
        "ONNX Runtime",
        batch="dynamic",
        takes_rgb=True,
        packages=("onnx", "onnxruntime"),
        extra="onnx",
        opset=17,
    ),
    ".xml": ExportFormat(
        "OpenVINO", batch="dynamic", takes_rgb=True, packages=("openvino",), extra="openvino"
    ),
}


@dataclass(frozen=True)
class ExportOptions:
    """How a model is exported.

    Attributes:
        precision: of the weights, and for int8 of the activations.
        calibrate: a folder of photos that int8 is calibrated on.
        with_preprocessing: put the scaling of pixels into the model, so that it takes uint8 RGB.
        batch: whether it takes one image at a time or any number; default: as the format.
        opset: the version of ONNX' operators; default: 17.
        force: replace an earlier export.

    Raises:
        UsageError: they contradict each other.
    """

    precision: ExportPrecision = "float32"
    calibrate: str | os.PathLike[str] | None = None
    with_preprocessing: bool = False
    batch: Batch | None = None
    opset: int | None = None
    force: bool = False

    def __post_init__(self) -> None:
        if self.precision not in EXPORT_PRECISIONS:
            raise UsageError(f"`precision` is one of {', '.join(EXPORT_PRECISIONS)}")
        if self.batch is not None and self.batch not in BATCHES:
            raise UsageError(f"`batch` is one of {', '.join(BATCHES)}")
        if self.opset is not None and self.opset not in OPSETS:
            raise UsageError(f"`opset` is {OPSETS[0]} to {OPSETS[-1]}; it is {self.opset}")
        if self.calibrate is not None and self.precision != "int8":
            raise UsageError("`calibrate` goes with `precision` int8")
        if self.calibrate is None and self.precision == "int8":
            raise UsageError(
                "`precision` int8 needs photos like those to be classified; name a folder of 50 "
                "or more with `calibrate`"
            )

    def check_format(self, path: Path, format_: ExportFormat) -> None:
        """Refuse what a format cannot hold.

        Raises:
            UsageError: it has no such precision or batch.
            ModelError: what writes it is not installed.
        """
        if self.precision not in format_.precisions:
            others = [end for end, other in FORMATS.items() if self.precision in other.precisions]
            raise UsageError(
                f"{path}: `precision` {self.precision} is for {' and '.join(others)}; leave it out"
            )
        if self.batch is not None and format_.batch is None:
            raise UsageError(
                f"{path}: {format_.name} takes any number of images; leave out `batch`"
            )
        if self.opset is not None and format_.opset is None:
            raise UsageError(f"{path}: {format_.name} has no `opset`; leave it out")
        for package in format_.packages:
            if importlib.util.find_spec(package) is None:
                remedy = f"pip install 'imgcls[{format_.extra}]'" if format_.extra else "install it"
                raise ModelError(
                    f"{path}: needs {package.replace('_', '-')}, which is not here; {remedy}"
                )


def ending_of(output: str | os.PathLike[str]) -> str:
    """Return the row of `FORMATS` that an output's name stands for.

    Raises:
        UsageError: none, or it is no name.
    """
    if os.fspath(output) == "-":
        raise UsageError("-: no model is written to standard output; name a file")
    if Path(output).name in FORMATS:
        raise UsageError(f"{os.fspath(output)}: is an ending alone; put a name before it")
    ending = Path(output).suffix
    is_folder = os.fspath(output).endswith(("/", os.sep)) or not ending
    ending = SAVED_MODEL if is_folder else ending
    if ending not in FORMATS:
        raise UsageError(
            f"{os.fspath(output)}: is no known format; end it in {_in_words(list(FORMATS))}"
        )
    return ending


def _in_words(endings: list[str]) -> str:
    words = [f"{ending} (a SavedModel folder)" if ending == "/" else ending for ending in endings]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def beside(path: Path, ending: str) -> Path | None:
    """Return the file with labels and preprocessing, where the exported one cannot hold them."""
    if ending == SAVED_MODEL:
        return path / IN_FOLDER
    file = Path(linked_file(path))
    return file.with_name(file.name + BESIDE) if ending in (".keras", ".h5", ".xml") else None


def check_output(path: Path, ending: str, *, force: bool) -> None:
    """Refuse an output that must not or cannot be written, before any work is done.

    Raises:
        OutputError: it is there and `force` is not given, or it is something else.
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent}: no such folder; make it first")
    _check_free(path, ending, force)
    if ending == SAVED_MODEL:
        return
    if described := beside(path, ending):
        _check_free(described, "", force)
    if ending == ".xml":
        _check_free(Path(linked_file(path)).with_suffix(".bin"), "", force)  # the weights


def _check_free(path: Path, ending: str, force: bool) -> None:
    if not path.exists():  # also a link that leads nowhere yet
        return
    if ending == SAVED_MODEL:
        if not path.is_dir():
            raise OutputError(f"{path}: is no folder; name another one")
        if any(path.iterdir()) and foreign_kind(path) is None:
            raise OutputError(f"{path}: is a folder of something else; name another one")
    elif not path.is_file():
        raise OutputError(f"{path}: is no file that could be replaced; name another one")
    if not force:
        raise OutputError(f"{path}: is there already; `force` replaces it")
