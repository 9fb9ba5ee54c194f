"""The metadata of a .tflite file: normalisation and labels, as the task libraries read them.

The schema is TensorFlow's metadata_schema.fbs: a flatbuffer of its own in a buffer of the model,
and the files that it names as a zip at the model's end. Numbers below are the places of the
fields in that schema.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

LABELS_FILE = "labels.txt"
DESCRIPTION_FILE = "imgcls.json"

_METADATA = "TFLITE_METADATA"  # the name of the buffer
_IDENTIFIER = b"M001"
_PARSER_VERSION = "1.0.0"
# AssociatedFileType, ColorSpaceType, and the members of the unions.
_DESCRIPTIONS, _AXIS_LABELS, _RGB, _IMAGE, _NORMALIZATION = 1, 2, 1, 2, 1


def with_metadata(content: bytes, described: Mapping[str, Any]) -> bytes:
    """Return a .tflite file with its description.

    Args:
        content: the file as the converter wrote it.
        described: see `ExportedDescription.to_json`.
    """
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import Builder

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    model.metadata = [entry for entry in model.metadata or () if entry.name != _METADATA.encode()]
    entry, buffer = schema.MetadataT(), schema.BufferT()
    entry.name, entry.buffer = _METADATA, len(model.buffers)
    buffer.data = bytearray(metadata(described))
    model.metadata.append(entry)
    model.buffers.append(buffer)
    model.signatureDefs = [_signature(schema, model.subgraphs[0])]
    builder = Builder(len(content) + 2**20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return with_files(bytes(builder.Output()), described)


def _signature(schema: Any, graph: Any) -> Any:
    """Name the input and the output, so that the model runs as a function of `image`."""
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = [schema.TensorMapT()], [schema.TensorMapT()]
    (given,), (scores,) = signature.inputs, signature.outputs
    given.name, given.tensorIndex = "image", int(graph.inputs[0])
    scores.name, scores.tensorIndex = "scores", int(graph.outputs[0])
    return signature


def with_files(content: bytes, described: Mapping[str, Any]) -> bytes:
    """Return a model with the files that its metadata name at its end."""
    file = io.BytesIO(content)
    labels = (" ".join(label.splitlines()) for label in described["labels"])  # a line each
    with zipfile.ZipFile(file, "a") as archive:
        for name, text in (
            (LABELS_FILE, "\n".join(labels) + "\n"),
            (DESCRIPTION_FILE, json.dumps(described, indent=1, ensure_ascii=False)),
        ):
            # A fixed date: the same model is the same bytes.
            archive.writestr(zipfile.ZipInfo(name), text.encode())
    return file.getvalue()


def read_files(path: Path) -> dict[str, Any]:
    """Return the description that a .tflite file carries."""
    with zipfile.ZipFile(path) as archive:
        described: dict[str, Any] = json.loads(archive.read(DESCRIPTION_FILE))
    return described


def metadata(described: Mapping[str, Any]) -> bytes:
    """Return the flatbuffer of a model that takes an image and gives a score for each class."""
    from flatbuffers import Builder

    write = _Writer(Builder(4096))
    labels = write.file(LABELS_FILE, "The classes, in the order of the scores.", _AXIS_LABELS)
    about = write.file(DESCRIPTION_FILE, "How an image becomes the input.", _DESCRIPTIONS)
    side = described["size"]
    size = write.table({0: ("Uint32", side), 1: ("Uint32", side)})
    image = write.table({0: ("Int8", _RGB), 1: size})
    content = write.table({0: ("Uint8", _IMAGE), 1: image})
    options = write.table({0: write.numbers(described["mean"]), 1: write.numbers(described["std"])})
    unit = write.table({0: ("Uint8", _NORMALIZATION), 1: options})
    low, high = (
        [
            (pixel - mean) / std
            for mean, std in zip(described["mean"], described["std"], strict=True)
        ]
        for pixel in (0, 255)
    )
    given = write.table(
        {
            0: write.text("image"),
            1: write.text(f"RGB image of {side}×{side} pixels, (pixels − mean) / std."),
            3: content,
            4: write.several([unit]),
            5: write.table({0: write.numbers(high), 1: write.numbers(low)}),
        }
    )
    scores = write.table(
        {
            0: write.text("probability"),
            1: write.text("The softmax score of each class."),
            5: write.table({0: write.numbers([1.0]), 1: write.numbers([0.0])}),
            6: write.several([labels]),
        }
    )
    graph = write.table({2: write.several([given]), 3: write.several([scores])})
    model = write.table(
        {
            0: write.text(described["model"]),
            1: write.text("An image classifier, exported by imgcls."),
            3: write.several([graph]),
            6: write.several([about]),
            7: write.text(_PARSER_VERSION),
        }
    )
    write.builder.Finish(model, _IDENTIFIER)
    return bytes(write.builder.Output())


class _Writer:
    """Writes what a flatbuffer is made of; each call returns where it stands."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def text(self, text: str) -> int:
        """Write a string."""
        offset: int = self.builder.CreateString(text)
        return offset

    def numbers(self, numbers: Sequence[float]) -> int:
        """Write a vector of float32."""
        return self._vector(numbers, self.builder.PrependFloat32)

    def several(self, offsets: Sequence[int]) -> int:
        """Write a vector of tables."""
        return self._vector(offsets, self.builder.PrependUOffsetTRelative)

    def table(self, fields: Mapping[int, int | tuple[str, int]]) -> int:
        """Write a table.

        Args:
            fields: by place: where a string, vector or table stands, or a number with its type.
        """
        self.builder.StartObject(max(fields) + 1)
        for place, value in fields.items():
            if isinstance(value, tuple):
                getattr(self.builder, f"Prepend{value[0]}Slot")(place, value[1], 0)
            else:
                self.builder.PrependUOffsetTRelativeSlot(place, value, 0)
        offset: int = self.builder.EndObject()
        return offset

    def file(self, name: str, description: str, kind: int) -> int:
        """Write what is said of an associated file."""
        text = self.text(name), self.text(description)
        return self.table({0: text[0], 1: text[1], 2: ("Int8", kind)})

    def _vector(self, items: Sequence[Any], prepend: Callable[[Any], None]) -> int:
        self.builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            prepend(item)
        offset: int = self.builder.EndVector()
        return offset
