"""Where predictions may go: what contradicts itself, and which files are not replaced."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imgcls.cli.destination import Destination
from imgcls.core.errors import OutputError, UsageError
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.classify.journal import journal_path, new_row
from imgcls.core.tasks.classify.options import SortOptions


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def destination(
    output: str | None = None, format_name: str | None = None, **how: Any
) -> Destination:
    chosen = {"resume": False, "force": False, "sort": SortOptions(), **how}
    return Destination(output, format_name, **chosen)


def earlier(name: str, *paths: str) -> Path:
    """Write an output of JSON Lines that has these inputs."""
    path = Path(name)
    path.write_text("".join(json.dumps({"path": one, "status": "ok"}) + "\n" for one in paths))
    return path


def checked(chosen: Destination, *inputs: str, listed: list[str] | None = None) -> list[str]:
    """Return the names of the sources that come out of the check."""
    sources = iter([Source(name) for name in (*inputs, *(listed or []))])
    return [one.name for one in chosen.checked(inputs, sources, listed is not None)]


DRY = SortOptions("sorted", dry_run=True)


@pytest.mark.parametrize(
    ("output", "format_name", "how", "message"),
    [
        (None, "parquet", {}, "parquet is no text; name a file with --output"),
        (None, None, {"resume": True}, "--resume goes with --output FILE in jsonl or csv"),
        ("o.html", None, {"resume": True}, "--resume goes with --output FILE in jsonl or csv"),
        ("o.csv", "text", {"resume": True}, "--resume goes with --output FILE in jsonl or csv"),
        (
            *("o.csv", None, {"resume": True, "force": True}),
            "--force replaces the file of --output; it does not go with --resume",
        ),
        (
            *(None, None, {"force": True}),
            "--force replaces the file of --output; it does not go with --resume",
        ),
        (
            *("o.csv", None, {"sort": DRY}),
            "--dry-run prints a plan, not predictions; leave out -o and -f",
        ),
        (
            *(None, "csv", {"sort": DRY}),
            "--dry-run prints a plan, not predictions; leave out -o and -f",
        ),
    ],
)
def test_what_contradicts_itself(
    output: str | None, format_name: str | None, how: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        destination(output, format_name, **how)
    assert str(raised.value) == message


def test_the_name_of_a_format_goes_before_the_ending() -> None:
    assert not destination().grows and destination().format.endings == (".txt",)
    assert destination("o.txt", "csv").grows
    assert destination("o.jsonl").grows
    assert not destination("o.jsonl", "json").grows


@pytest.mark.linux
def test_a_device_does_not_grow() -> None:
    assert not destination("/dev/null", "csv").grows


def test_a_file_of_another_kind_is_refused_whatever_its_ending(work: Path) -> None:
    (work / "notes.xlsx").write_bytes(b"a user's own")
    with pytest.raises(OutputError) as raised:
        destination("notes.xlsx")
    assert str(raised.value) == (
        "notes.xlsx: exists and is not an earlier output of this kind; name another file"
    )
    earlier("o.csv", "a.jpg")  # an output, but of another format than its ending says
    with pytest.raises(OutputError, match=r"^o\.csv: exists and is not an earlier output"):
        checked(destination("o.csv"), "a.jpg")


def test_results_of_the_same_inputs_are_replaced() -> None:
    earlier("o.jsonl", "in/a.jpg", "in/b.jpg", "c.jpg")
    assert checked(destination("o.jsonl"), "in", "c.jpg") == ["in", "c.jpg"]


def test_results_of_other_inputs_are_not() -> None:
    earlier("o.jsonl", "in/a.jpg", "else\x1b.jpg")
    with pytest.raises(OutputError) as raised:
        checked(destination("o.jsonl"), "in")
    assert str(raised.value) == (
        "o.jsonl: has results of other inputs (else\\x1b.jpg); --force replaces it, --resume adds "
        "to it"
    )
    assert checked(destination("o.jsonl", force=True), "in") == ["in"]


def test_resume_is_not_offered_where_it_does_not_go() -> None:
    Path("o.txt").write_text("else.jpg: cat (99.00%)\n")
    with pytest.raises(OutputError, match=r"\(else\.jpg\); --force replaces it$"):
        checked(destination("o.txt"), "in")


def test_an_interrupted_output_is_not_lost_either() -> None:
    earlier("o.jsonl.part", "else.jpg")
    with pytest.raises(OutputError, match=r"^o\.jsonl\.part: has results of other inputs"):
        checked(destination("o.jsonl"), "in")
    with pytest.raises(OutputError, match=r"\(else\.jpg\); --force replaces it$"):
        checked(destination("o.jsonl", resume=True), "in")  # it has no journal to go on from
    journal_path(Path("o.jsonl").resolve()).write_bytes(new_row(1, 1, b"x"))
    assert checked(destination("o.jsonl", resume=True), "in") == ["in"]


def test_the_rest_of_a_line_that_was_cut_off_is_no_obstacle() -> None:
    path = earlier("o.jsonl", "a.jpg")
    path.write_text(path.read_text() + '{"path": "els')
    assert checked(destination("o.jsonl"), "a.jpg") == ["a.jpg"]


def test_a_list_is_read_once_and_nothing_of_it_is_lost() -> None:
    earlier("o.jsonl", "x*.jpg", "y.jpg")
    chosen = destination("o.jsonl")
    assert checked(chosen, listed=["x*.jpg", "y.jpg", "z.jpg"]) == ["x*.jpg", "y.jpg", "z.jpg"]
    with pytest.raises(OutputError, match=r"\(y\.jpg\)"):
        checked(chosen, listed=["x*.jpg"])


def test_without_an_earlier_output_no_source_is_asked_for() -> None:
    def sources() -> Iterator[Source]:
        pytest.fail("one was asked for")
        yield

    destination("o.jsonl").checked(("-",), sources(), listed=True)


def test_the_record_of_an_image_that_was_moved_away_is_kept(work: Path) -> None:
    os.mkdir("in")
    Path("in/a.jpg").touch()
    moving = {"sort": SortOptions("sorted", "move")}
    earlier("o.jsonl", "in/a.jpg", "-", "http://host/b.jpg")
    inputs = "in", "-", "http://host/b.jpg"
    assert checked(destination("o.jsonl", **moving), *inputs) == list(inputs)
    os.unlink("in/a.jpg")
    assert checked(destination("o.jsonl"), *inputs) == list(inputs)  # only moving makes it matter
    with pytest.raises(OutputError, match=r"\(in/a\.jpg\)"):
        checked(destination("o.jsonl", **moving), *inputs)


def test_images_are_not_sorted_into_an_input(work: Path) -> None:
    os.mkdir("in")
    with pytest.raises(UsageError, match=r"^in/sorted: lies in in, which is to be sorted"):
        checked(destination(sort=SortOptions("in/sorted")), "in")
