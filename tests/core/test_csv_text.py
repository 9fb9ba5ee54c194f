from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcls.core.csv_text import CSVError, csv_line, read_csv, read_csv_lines


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (["a", "b c", "é"], "a,b c,é\n"),
        (["a,b", 'say "x"', "two\nlines"], '"a,b","say ""x""","two\nlines"\n'),
        # csv.writer leaves this one bare where lines end with \n; a reader takes it for two rows.
        (["cr\r.jpg", "crlf\r\n"], '"cr\r.jpg","crlf\r\n"\n'),
        (["=1+1", "+1", "-1", "@x", "\tx"], "'=1+1,'+1,'-1,'@x,'\tx\n"),
        (["=a,b"], '"\'=a,b"\n'),
        ([-3, 7, -0.25], "-3,7,-0.25\n"),
        ([0.1234567891, 1.0, 1e-9, None, ""], "0.123457,1,1e-09,,\n"),
        ([""], '""\n'),
        (["\udcff.jpg"], "\udcff.jpg\n"),
    ],
)
def test_a_row(fields: list[str | float | None], line: str) -> None:
    assert csv_line(fields) == line


@pytest.mark.parametrize("odd", ["\r", "\n", "\r\n", '"', ",", "'", " ", "\x0b", "\u2028", "\x85"])
def test_what_is_written_is_read_again(odd: str) -> None:
    rows = [["path", "label"], [f"a{odd}b", odd], [f"{odd}x", f"x{odd}"], ["", ""]]
    text = "".join(map(csv_line, rows))
    assert list(read_csv(text)) == rows
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), min_size=1))
def test_any_table_is_read_as_it_was_written(rows: list[list[str]]) -> None:
    text = "".join(map(csv_line, rows))
    guarded = [[f"'{x}" if x[:1] in tuple("=+-@\t") else x for x in row] for row in rows]
    assert list(read_csv(text)) == guarded
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == guarded


@given(st.text(alphabet=st.sampled_from("ab,\"\r\n' ")))
def test_any_text_is_a_table_or_an_error(text: str) -> None:
    try:
        rows = list(read_csv(text))
    except CSVError:
        return
    assert len({len(row) for row in rows}) <= 1


def test_line_ends_and_empty_lines_of_others() -> None:
    assert list(read_csv("a,b\r\n\r\n1,2\r\n3,4")) == [["a", "b"], ["1", "2"], ["3", "4"]]
    assert list(read_csv("")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1\n", "line 2 has 1 field and not 2"),
        ("a,b\n1,2\n\n1,2,3\n", "line 4 has 3 fields and not 2"),
        ("a,b\n1\r2,3\n", "line 2 has 1 field and not 2"),
        ('a,b\n"1\n2",3\n4\n', "line 4 has 1 field and not 2"),
        ('a,b\n1,"2\n', "line 2 is malformed: unexpected end of data"),
        ('a,b\n"1"x,2\n', "line 2 is malformed: ',' expected after '\"'"),
    ],
)
def test_a_malformed_row_is_an_error(text: str, message: str) -> None:
    with pytest.raises(CSVError) as caught:
        list(read_csv(text))
    assert str(caught.value) == message


def test_rows_with_the_lines_they_end_in() -> None:
    text = 'a,b\n\n"1\n2",3\r\n4,5'
    assert list(read_csv_lines(text)) == [(1, ["a", "b"]), (4, ["1\n2", "3"]), (5, ["4", "5"])]
