"""The metadata, read by the schema's numbers with the plain flatbuffers library."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from typing import Any

import pytest
from flatbuffers.table import Table

from imgcls.core.models.exported_description import ExportedDescription
from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.preprocessing import Preprocessing
from imgcls.core.tasks.export.tflite_metadata import metadata, with_files

DESCRIBED = ExportedDescription(
    "vgg", Preprocessing(32, 36, "caffe"), (ClassLabel("n1", "cat"), ClassLabel("n2", "Hündin"))
).to_json()


class Reader:
    """A table of a flatbuffer; its fields by their places."""

    def __init__(self, table: Table) -> None:
        self.table = table

    @classmethod
    def of(cls, content: bytes) -> Reader:
        (start,) = struct.unpack_from("<I", content)
        return cls(Table(content, start))

    def _at(self, place: int) -> int:
        offset: int = self.table.Offset(4 + 2 * place)
        assert offset, f"no field {place}"
        return int(self.table.Pos + offset)

    def text(self, place: int) -> str:
        return bytes(self.table.String(self._at(place))).decode()

    def inner(self, place: int) -> Reader:
        return Reader(Table(self.table.Bytes, self.table.Indirect(self._at(place))))

    def number(self, place: int, form: str) -> Any:
        return struct.unpack_from(form, self.table.Bytes, self._at(place))[0]

    def several(self, place: int) -> list[int]:
        at = self._at(place)
        (relative,) = struct.unpack_from("<I", self.table.Bytes, at)
        (count,) = struct.unpack_from("<I", self.table.Bytes, at + relative)
        return [at + relative + 4 + 4 * index for index in range(count)]

    def tables(self, place: int) -> list[Reader]:
        return [
            Reader(Table(self.table.Bytes, self.table.Indirect(at))) for at in self.several(place)
        ]

    def numbers(self, place: int) -> list[float]:
        at = self.several(place)
        return [struct.unpack_from("<f", self.table.Bytes, one)[0] for one in at]


def test_a_reader_of_the_schema_finds_all() -> None:
    content = metadata(DESCRIBED)
    assert content[4:8] == b"M001"
    model = Reader.of(content)
    assert (model.text(0), model.text(7)) == ("vgg", "1.0.0")
    (graph,) = model.tables(3)
    (given,), (scores,) = graph.tables(2), graph.tables(3)
    image = given.inner(3)
    assert image.number(0, "<B") == 2  # ImageProperties
    assert image.inner(1).number(0, "<b") == 1  # RGB
    side = image.inner(1).inner(1)
    assert (side.number(0, "<I"), side.number(1, "<I")) == (32, 32)
    (unit,) = given.tables(4)
    assert unit.number(0, "<B") == 1  # NormalizationOptions
    # The mean of red first, for the file takes RGB.
    assert unit.inner(1).numbers(0) == pytest.approx([123.68, 116.779, 103.939])
    assert unit.inner(1).numbers(1) == [1, 1, 1]
    assert given.inner(5).numbers(1) == pytest.approx([-123.68, -116.779, -103.939])
    (labels,) = scores.tables(6)
    assert labels.text(0) == "labels.txt"
    assert labels.number(2, "<b") == 2  # TENSOR_AXIS_LABELS
    assert [file.text(0) for file in model.tables(6)] == ["imgcls.json"]


def test_the_files_are_a_zip_at_the_end() -> None:
    content = with_files(b"model", DESCRIBED)
    assert content.startswith(b"model")
    assert content == with_files(b"model", DESCRIBED)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("labels.txt").decode() == "cat\nHündin\n"
        assert archive.namelist() == ["labels.txt", "imgcls.json"]


def test_each_label_is_a_line() -> None:
    content = with_files(b"", DESCRIBED | {"labels": ["big\ncat", "Hündin"]})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("labels.txt").decode().splitlines() == ["big cat", "Hündin"]
        assert json.loads(archive.read("imgcls.json"))["labels"] == ["big\ncat", "Hündin"]
