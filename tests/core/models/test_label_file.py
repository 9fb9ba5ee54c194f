from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.models.exported_description import ExportedDescription
from imgcls.core.models.label_file import find_labels, read_labels
from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.preprocessing import Preprocessing


@pytest.mark.parametrize(
    "text",
    [
        b"cat\r\n big dog \n\n",
        b"\xef\xbb\xbfcat\nbig dog",
        "cat\nbig dog\n".encode("utf-16"),
        b"0 cat\n1 big dog\n",
        b'["cat", "big dog"]',
        b'{"big dog": 1, "cat": 0}',
        b'{"1": "big dog", "0": "cat"}',
    ],
)
def test_forms(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "labels").write_bytes(text)
    assert read_labels(tmp_path / "labels") == ("cat", "big dog")


def test_a_number_that_is_part_of_the_label_stays(tmp_path: Path) -> None:
    (tmp_path / "labels").write_text("1 euro\n2 euro\n")
    assert read_labels(tmp_path / "labels") == ("1 euro", "2 euro")
    (tmp_path / "labels").write_text("0 cat\ndog\n")
    assert read_labels(tmp_path / "labels") == ("0 cat", "dog")


@pytest.mark.parametrize(
    "text",
    [
        *("", "one", "a\na", "[1, 2]", "[", "a\nb\x1bc", '{"a": 0, "b": 2}', '{"a": 0, "b": 0}'),
        *('{"0": "a", "x": "b"}', '{"0": "a", "00": "b"}', "[" * 100_000),
    ],
)
def test_what_is_no_labels(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels").write_text(text)
    with pytest.raises(UsageError, match="no labels"):
        read_labels(tmp_path / "labels")


def test_a_photo_in_place_of_labels(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 a photo")
    with pytest.raises(UsageError, match=r"a\.jpg: is no text in UTF-8 or UTF-16; name a text "):
        read_labels(tmp_path / "a.jpg")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file; name a text file with a label a line"):
        read_labels(tmp_path / "none")


def test_found_beside_the_model(tmp_path: Path) -> None:
    model = tmp_path / "pets.h5"
    assert find_labels(model) is None
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    assert find_labels(model) == tmp_path / "labels.txt"
    (tmp_path / "class_indices.json").write_text('{"cat": 0, "dog": 1}')
    assert find_labels(model) == tmp_path / "labels.txt"  # they say the same
    (tmp_path / "class_indices.json").write_text('{"dog": 0, "cat": 1}')
    with pytest.raises(UsageError, match=r"labels\.txt and class_indices\.json; say which"):
        find_labels(model)
    (tmp_path / "pets_labels.txt").write_text("dog\ncat\n")
    assert find_labels(model) == tmp_path / "pets_labels.txt"


def test_labels_that_export_wrote(tmp_path: Path) -> None:
    labels = (ClassLabel("n1", "cat"), ClassLabel("n2", "dog"))
    described = ExportedDescription("m", Preprocessing(4, 5, "tf"), labels).to_json()
    model, beside = tmp_path / "pets.h5", tmp_path / "pets.h5.json"
    beside.write_text(json.dumps(described))
    (tmp_path / "labels.txt").write_text("a\nb\n")  # another model's
    assert find_labels(model) == beside
    assert read_labels(beside) == ("cat", "dog")
