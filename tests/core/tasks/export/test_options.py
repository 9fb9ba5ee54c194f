from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgcls.core.errors import ModelError, OutputError, UsageError
from imgcls.core.tasks.export.options import (
    FORMATS,
    ExportOptions,
    beside,
    check_output,
    ending_of,
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"precision": "int4"}, "`precision` is one of float32, float16, int8"),
        ({"opset": 7}, "`opset` is 13 to 23; it is 7"),
        ({"batch": "some"}, "`batch` is one of fixed, dynamic"),
        ({"calibrate": "photos"}, "`calibrate` goes with `precision` int8"),
        ({"precision": "int8"}, "name a folder of 50 or more with `calibrate`"),
    ],
)
def test_options_that_make_no_sense(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ExportOptions(**arguments)


def test_the_ending_says_the_format() -> None:
    assert FORMATS[ending_of("a/b.tflite")].name == "LiteRT"
    assert {FORMATS[ending_of(name)].name for name in ("sm/", "sm")} == {"TensorFlow"}
    with pytest.raises(UsageError, match=r"^m\.pt: is no known format; end it in .*\.tflite"):
        ending_of("m.pt")


@pytest.mark.parametrize("output", [".tflite", "folder/.onnx", "-"])
def test_an_output_has_a_name(output: str) -> None:
    with pytest.raises(UsageError, match=r"put a name before it|name a file"):
        ending_of(output)


def test_what_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    check_output(path, ".tflite", force=False)
    path.touch()
    with pytest.raises(OutputError, match=r"m\.tflite: is there already; `force` replaces it$"):
        check_output(path, ".tflite", force=False)
    check_output(path, ".tflite", force=True)


@pytest.mark.posix
@pytest.mark.parametrize(("ending", "other"), [(".h5", "real.h5.json"), (".xml", "real.bin")])
def test_what_stands_beside_the_file_of_a_link_stays(
    tmp_path: Path, ending: str, other: str
) -> None:
    link = tmp_path / f"link{ending}"
    link.symlink_to(tmp_path / f"real{ending}")
    check_output(link, ending, force=False)
    assert beside(link, ending) == tmp_path / f"real{ending}.json"
    (tmp_path / other).write_text("mine")
    with pytest.raises(OutputError, match=f"{other}: is there already; `force` replaces it$"):
        check_output(link, ending, force=False)
    check_output(link, ending, force=True)


def test_no_folder_is_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").mkdir()
    with pytest.raises(OutputError, match="is no file that could be replaced"):
        check_output(tmp_path / "m.tflite", ".tflite", force=True)
    with pytest.raises(OutputError, match="no such folder; make it first"):
        check_output(tmp_path / "none" / "m.tflite", ".tflite", force=True)


def test_a_folder_of_something_else_stays(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    check_output(tmp_path / "photos", "/", force=True)  # empty
    (tmp_path / "photos" / "a.jpg").touch()
    with pytest.raises(OutputError, match="photos: is a folder of something else"):
        check_output(tmp_path / "photos", "/", force=True)


def test_what_lies_beside_is_replaced_only_by_force(tmp_path: Path) -> None:
    (tmp_path / "m.keras.json").touch()
    with pytest.raises(OutputError, match=r"m\.keras\.json: is there already"):
        check_output(tmp_path / "m.keras", ".keras", force=False)
    check_output(tmp_path / "m.keras", ".keras", force=True)


def test_a_format_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    options = ExportOptions(precision="float16")
    with pytest.raises(UsageError, match=r"`precision` float16 is for \.tflite; leave it out"):
        options.check_format(tmp_path / "m.h5", FORMATS[".h5"])
    with pytest.raises(UsageError, match="Keras takes any number of images; leave out `batch`"):
        ExportOptions(batch="fixed").check_format(tmp_path / "m.h5", FORMATS[".h5"])
    with pytest.raises(UsageError, match="LiteRT has no `opset`; leave it out"):
        ExportOptions(opset=17).check_format(tmp_path / "m.tflite", FORMATS[".tflite"])


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    format_ = replace(FORMATS[".onnx"], packages=("no_such_package",))
    with pytest.raises(ModelError, match=r"needs no-such-package, .*pip install 'imgcls\[onnx\]'"):
        ExportOptions().check_format(tmp_path / "m.onnx", format_)


@pytest.mark.posix
def test_a_link_to_a_file_to_come_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").symlink_to("other.tflite")
    check_output(tmp_path / "m.tflite", ".tflite", force=False)
