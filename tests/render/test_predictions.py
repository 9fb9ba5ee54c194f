"""Each format of predictions, byte by byte, and whose file an earlier output is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.classify.classify import Prediction, Record
from imgcls.render.predictions import FORMATS, as_json, format_of
from imgcls.render.style import PLAIN, Style

CAT, DOG = Prediction(1, "n1", "cat", 0.75), Prediction(2, "n2", "big dog", 1 / 3)
GOOD = Record("a.jpg", "ok", "m", 40, 30, (CAT, DOG), None)
DOUBTFUL = Record("b.jpg", "unknown", "m", 40, 30, (CAT, DOG), None)
FAILED = Record("c.jpg", "error", "m", None, None, (), "truncated JPEG")
ALL = [GOOD, DOUBTFUL, FAILED]


def shown(name: str, records: list[Record], top: int = 2, style: Style = PLAIN) -> str:
    return "".join(map(str, FORMATS[name].pieces(records, top, style)))


def test_text_of_several_classes() -> None:
    assert shown("text", ALL) == (
        "a.jpg\n"
        "  cat       75.00%  n1\n"
        "  big dog   33.33%  n2\n"
        "b.jpg: unknown (nearest: cat 75.00%)\n"
        "  cat       75.00%  n1\n"
        "  big dog   33.33%  n2\n"
        "c.jpg: error: truncated JPEG\n"
    )


def test_ones_own_label_is_not_printed_twice() -> None:
    own = Record("a.jpg", "ok", "m", 1, 1, (Prediction(1, "car", "car", 0.75),), None)
    assert shown("text", [own]) == "a.jpg\n  car   75.00%\n"


def test_text_of_one_class_is_a_line_an_image() -> None:
    assert shown("text", ALL, top=1) == (
        "a.jpg: cat (75.00%)\nb.jpg: unknown (nearest: cat 75.00%)\nc.jpg: error: truncated JPEG\n"
    )


def test_json_has_the_familiarity_of_models_that_know_it() -> None:
    known = Record("a.jpg", "ok", "m", 40, 30, (CAT,), None, familiarity=0.0)
    assert as_json(known)["familiarity"] == 0
    assert "familiarity" not in as_json(GOOD)


def test_csv_is_a_row_a_prediction_and_one_for_what_failed() -> None:
    assert shown("csv", [GOOD, FAILED]) == (
        "path,status,rank,class_id,label,score,error\n"
        "a.jpg,ok,1,n1,cat,0.75,\n"
        "a.jpg,ok,2,n2,big dog,0.333333,\n"
        "c.jpg,error,,,,,truncated JPEG\n"
    )


def test_csv_writes_control_characters_out_on_a_terminal_only() -> None:
    record = Record("\x1bc.jpg", "ok", "m", 1, 1, (Prediction(1, "n\x07", "c\x1bt", 1.0),), None)
    failed = Record("c.jpg", "error", "m", None, None, (), "\x1bc")
    assert "\x1bc.jpg,ok,1,n\x07,c\x1bt,1,\n" in shown("csv", [record])
    on_terminal = shown("csv", [record, failed], style=Style(bars=True))
    assert "\\x1bc.jpg,ok,1,n\\x07,c\\x1bt,1,\nc.jpg,error,,,,,\\x1bc\n" in on_terminal


def test_json_has_the_keys_of_the_contract_in_their_order() -> None:
    assert json.dumps(as_json(GOOD)) == (
        '{"path": "a.jpg", "status": "ok", "model": "m", "width": 40, "height": 30, '
        '"predictions": [{"rank": 1, "class_id": "n1", "label": "cat", "score": 0.75}, '
        '{"rank": 2, "class_id": "n2", "label": "big dog", "score": 0.333333}], "error": null}'
    )
    failed = {"width": None, "height": None, "predictions": [], "error": "truncated JPEG"}
    assert as_json(FAILED) == {"path": "c.jpg", "status": "error", "model": "m", **failed}


def test_json_lines_are_ascii_and_an_array_is_the_same_objects() -> None:
    odd = Record("caf\udce9 \u2028.jpg", "error", "m", None, None, (), "x")
    lines = shown("jsonl", [odd, GOOD])
    assert lines.isascii() and lines.count("\n") == 2
    objects = [json.loads(line) for line in lines.splitlines()]
    assert objects[0]["path"] == odd.path
    assert json.loads(shown("json", [odd, GOOD])) == objects
    assert shown("json", []) == "[]\n" and shown("jsonl", []) == ""


@pytest.mark.parametrize("name", ["text", "json", "jsonl", "csv"])
def test_a_record_is_out_before_the_next_is_asked_for(name: str) -> None:
    def records() -> Iterator[Record]:
        yield FAILED
        pytest.fail("the second was asked for")

    pieces = FORMATS[name].pieces(records(), 2)
    written = str(next(pieces)) + (str(next(pieces)) if FORMATS[name].header else "")
    assert "c.jpg" in written


@pytest.mark.parametrize("name", FORMATS)
def test_an_ending_stands_for_its_format_in_either_case(name: str) -> None:
    for ending in FORMATS[name].endings:
        assert format_of(f"out.old{ending}") == format_of(f"OUT{ending.upper()}") == name


def test_no_ending_is_text_and_an_unknown_one_is_refused() -> None:
    assert format_of(None) == format_of("out") == format_of(".csv") == "text"
    with pytest.raises(UsageError) as raised:
        format_of("out.xlsx")
    assert str(raised.value) == (
        "out.xlsx: .xlsx is no known format; end it in one of .txt, .json, .jsonl, .csv, "
        ".parquet, .html, or name the format with `format_name`"
    )


def test_an_output_is_known_as_its_own_format_alone() -> None:
    names = ["text", "json", "jsonl", "csv", "html"]
    for name in names:
        start = shown(name, ALL).encode()
        assert [other for other in names if FORMATS[other].begins(start)] == [name]
    for top in (1, 2):
        assert FORMATS["text"].begins(shown("text", [FAILED], top).encode())


@pytest.mark.parametrize(
    "start",
    [
        *(b"", b"\n", b"notes\nmore\n", b"a.jpg\n  no score\n"),
        *(b" a.jpg: cat (1.00%)\n", b"a\0b: cat (1.00%)\n", b"path,label\na.jpg,cat\n"),
    ],
)
def test_a_file_of_a_users_is_no_text_output(start: bytes) -> None:
    assert not FORMATS["text"].begins(start)
