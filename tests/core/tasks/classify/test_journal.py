"""The rows that say which records a growing output has, worked out by hand."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from imgcls.core.tasks.classify.journal import (
    ROW,
    Rows,
    are_current,
    count_held,
    has_journal,
    hash_text,
    journal_path,
    new_row,
    no_rows,
    read_journal,
)


def rows(*facts: tuple[int, int, bytes]) -> Rows:
    """Return rows of (path, facts, record)."""
    return np.frombuffer(b"".join(new_row(*one) for one in facts), ROW)


def test_a_row_is_24_bytes_little_endian() -> None:
    row = new_row(2**64 - 1, 7, b"record\n")
    assert row == struct.pack("<QQII", 2**64 - 1, 7, 7, zlib.crc32(b"record\n"))
    assert len(row) == 24


@pytest.mark.parametrize(("length", "whole"), [(0, 0), (23, 0), (24, 1), (47, 1), (48, 2)])
def test_a_row_that_was_cut_off_is_left_out(tmp_path: Path, length: int, whole: int) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes((new_row(1, 1, b"a") + new_row(2, 2, b"b"))[:length])
    assert read_journal(journal)["path"].tolist() == [1, 2][:whole]


def test_records_are_held_up_to_the_first_that_differs() -> None:
    three = rows((1, 1, b"one\n"), (2, 1, b"two\n"), (3, 1, b"three\n"))
    assert count_held(io.BytesIO(b"one\ntwo\nthree\n"), three) == 3
    assert count_held(io.BytesIO(b"one\ntwo\nthr"), three) == 2
    assert count_held(io.BytesIO(b"one\ntwO\nthree\n"), three) == 1  # the third is not counted
    assert count_held(io.BytesIO(b""), three) == 0


def test_records_are_read_from_where_the_file_stands() -> None:
    file = io.BytesIO(b"header\none\n")
    file.seek(7)
    assert count_held(file, rows((1, 1, b"one\n"))) == 1


def test_the_latest_row_of_a_path_says_what_its_content_is() -> None:
    again = rows((5, 1, b"a"), (6, 1, b"b"), (5, 2, b"c"), (5, 2, b"d"), (6, 1, b"e"))
    assert are_current(again).tolist() == [False, True, True, True, True]
    assert are_current(no_rows()).tolist() == []


def test_a_journal_stands_hidden_beside_its_output(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    journal = journal_path(out)
    assert journal == tmp_path / ".out.jsonl.resume"
    assert not has_journal(str(out))
    journal.touch()
    assert not has_journal(str(out))  # of no record
    journal.write_bytes(new_row(1, 1, b"a"))
    assert has_journal(str(out))


@pytest.mark.posix
def test_the_journal_of_a_linked_output_is_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / ".real.csv.resume").write_bytes(new_row(1, 1, b"a"))
    os.symlink(tmp_path / "there" / "real.csv", tmp_path / "out.csv")
    assert has_journal(str(tmp_path / "out.csv"))


def test_a_path_that_is_no_utf8_has_a_hash_too() -> None:
    hashes = {hash_text("a.jpg"), hash_text("b.jpg"), hash_text("caf\udce9.jpg")}
    assert len(hashes) == 3 and all(0 <= one < 2**64 for one in hashes)
    assert hash_text("a.jpg") == hash_text("a.jpg")
