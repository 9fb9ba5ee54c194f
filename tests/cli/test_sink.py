"""What takes the records: each form of output, and in which order records and images come."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgcls.cli.console import Console
from imgcls.cli.destination import Destination
from imgcls.cli.sink import Sink, open_sink
from imgcls.core.engines.model import Model, load_model
from imgcls.core.pixels.source import Source
from imgcls.core.tasks.classify import placing
from imgcls.core.tasks.classify.classify import Record
from imgcls.core.tasks.classify.options import ClassifyOptions, SortOptions
from tests.cli.test_sorting import Said
from tests.core.tasks.classify.sorted_photos import LABELS, failed, make, ok, tree

MOVING = SortOptions("out", "move")


@pytest.fixture(scope="module")
def model() -> Model:
    return replace(load_model(), labels=tuple(LABELS))


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Run:
    """Opens sinks as `predict` does, and remembers what was said."""

    def __init__(self, model: Model) -> None:
        self.console = Said()
        self._model = model

    def open(self, output: str | None = None, top: int = 1, **how: Any) -> Any:
        chosen = {"resume": False, "force": False, "sort": SortOptions(), **how}
        format_name = chosen.pop("format_name", None)
        console: Console = self.console  # type: ignore[assignment]
        to = Destination(output, format_name, **chosen)
        return open_sink(to, self._model, ClassifyOptions(top), "float32", console)


@pytest.fixture
def run(model: Model) -> Run:
    return Run(model)


def records(sink: Sink, *photos: Path) -> Iterator[Record]:
    """Yield a good record for each source that is still to do."""
    for source in sink.todo(iter([Source(str(photo)) for photo in photos])):
        yield ok(Path(source.name))


def names(path: str) -> list[str]:
    """Return the inputs of an output of JSON Lines."""
    return [Path(json.loads(line)["path"]).name for line in Path(path).read_text().splitlines()]


def test_standard_output_gets_each_record_as_it_comes(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []

    def one_by_one() -> Iterator[Record]:
        for name in ("a.jpg", "b.jpg"):
            yield ok(name)
            seen.append(capsys.readouterr().out)

    with run.open() as sink:
        sink.write(one_by_one())
    assert seen == ["a.jpg: cat (12.35%)\n", "b.jpg: cat (12.35%)\n"]
    assert (sink.skipped, sink.unsorted, run.console.lines) == (0, 0, [])


def test_top_reaches_the_format(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with run.open(top=5) as sink:
        sink.write([ok("a.jpg")])
    assert capsys.readouterr().out == "a.jpg\n  cat   12.35%\n"


def test_a_file_is_there_when_all_records_are(run: Run, work: Path) -> None:
    def stopped() -> Iterator[Record]:
        yield ok("a.jpg")
        raise KeyboardInterrupt

    Path("o.json").write_text("[]\n")
    with pytest.raises(KeyboardInterrupt), run.open("o.json") as sink:
        sink.write(stopped())
    assert Path("o.json").read_text() == "[]\n"
    with run.open("o.json") as sink:
        sink.write([ok("a.jpg"), failed(Path("b.jpg"))])
    assert [one["status"] for one in json.loads(Path("o.json").read_text())] == ["ok", "error"]
    assert os.listdir() == ["o.json"]


def test_a_growing_file_keeps_what_is_done_and_goes_on(run: Run, work: Path) -> None:
    photos = make(work / "in", "a.jpg", "b.jpg", "c.jpg")

    def stopped(all_of: Iterable[Record]) -> Iterator[Record]:
        for record in all_of:
            if record.path.endswith("c.jpg"):
                raise KeyboardInterrupt
            yield record

    with pytest.raises(KeyboardInterrupt), run.open("o.jsonl") as sink:
        sink.write(stopped(records(sink, *photos)))
    assert not Path("o.jsonl").exists() and names("o.jsonl.part") == ["a.jpg", "b.jpg"]
    with run.open("o.jsonl", resume=True) as sink:
        sink.write(records(sink, *photos))
        assert sink.skipped == 2
    assert names("o.jsonl") == ["a.jpg", "b.jpg", "c.jpg"]


def test_other_options_make_all_records_anew(run: Run, work: Path) -> None:
    photos = make(work / "in", "a.jpg")
    for top, skipped in ((1, 0), (1, 1), (2, 0)):
        with run.open("o.jsonl", top, resume=True) as sink:
            sink.write(records(sink, *photos))
            assert sink.skipped == skipped
    assert names("o.jsonl") == ["a.jpg"]


def test_the_header_of_a_growing_table_stands_once(run: Run, work: Path) -> None:
    photos = make(work / "in", "a.jpg", "b.jpg")
    for some in (photos[:1], photos):
        with run.open("o.csv", resume=True) as sink:
            sink.write(records(sink, *some))
    header, *rows = csv.reader(Path("o.csv").read_text().splitlines())
    assert header[0] == "path" and [Path(row[0]).name for row in rows] == ["a.jpg", "b.jpg"]


@pytest.mark.linux
def test_a_device_is_written_directly(run: Run, work: Path) -> None:
    with run.open("/dev/null", format_name="csv") as sink:
        sink.write([ok("a.jpg")])
    assert os.listdir() == []


def test_a_plan_touches_nothing(run: Run, work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = make(work / "in", "a.jpg", "b/a.jpg")
    with run.open(sort=SortOptions("out", "move", dry_run=True)) as sink:
        sink.write(map(ok, photos))
    assert capsys.readouterr().out == (
        f"{photos[0]} -> {work / 'out/cat/a.jpg'}\n{photos[1]} -> {work / 'out/cat/a-2.jpg'}\n"
    )
    assert os.listdir() == ["in"] and run.console.lines == []


@pytest.mark.parametrize("format_name", ["text", "jsonl", "json", "csv"])
def test_a_record_is_printed_before_its_image_is_moved(
    run: Run, work: Path, capsys: pytest.CaptureFixture[str], format_name: str
) -> None:
    photos = make(work / "in", "a.jpg", "b.jpg")
    printed = ""

    def watched() -> Iterator[Record]:
        nonlocal printed
        for number, photo in enumerate(photos):
            moved = tree(work / "out") if (work / "out").exists() else {}
            printed += capsys.readouterr().out
            assert len(moved) == number and all(str(gone) in printed for gone in photos[:number])
            yield ok(photo)

    with run.open(format_name=format_name, sort=MOVING) as sink:
        sink.write(watched())
    assert list(tree(work / "out")) == ["cat/a.jpg", "cat/b.jpg"]
    (line,) = run.console.lines
    assert line.startswith(f"sorted 2 images into {work / 'out'}; to undo: --undo ")


def test_no_image_is_moved_before_the_file_with_its_record_is_there(run: Run, work: Path) -> None:
    photos = make(work / "in", "a.jpg", "b.jpg")

    def stopped() -> Iterator[Record]:
        yield ok(photos[0])
        yield ok(photos[1])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), run.open("o.json", sort=MOVING) as sink:
        sink.write(stopped())
    assert len(tree(work / "in")) == 2 and not (work / "o.json").exists()
    with run.open("o.json", sort=MOVING) as sink:
        sink.write(map(ok, photos))
    assert list(tree(work / "out")) == ["cat/a.jpg", "cat/b.jpg"] and not tree(work / "in")


def test_a_growing_file_that_moves_images_completes_an_interrupted_run(
    run: Run, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(source: str, target: str) -> None:
        raise KeyboardInterrupt

    photos = make(work / "in", "a.jpg", "b.jpg")
    with (
        monkeypatch.context() as patch,
        pytest.raises(KeyboardInterrupt),
        run.open("o.jsonl", sort=MOVING) as sink,
    ):
        patch.setitem(placing.SORT_MODES, "move", interrupt)
        sink.write(records(sink, *photos))
    assert names("o.jsonl.part") == ["a.jpg"] and not tree(work / "out")
    with run.open("o.jsonl", sort=MOVING, resume=True) as sink:
        sink.write(records(sink, *photos))
        assert sink.skipped == 1
    assert names("o.jsonl") == ["a.jpg", "b.jpg"]
    assert list(tree(work / "out")) == ["cat/a.jpg", "cat/b.jpg"] and not tree(work / "in")


@pytest.mark.posix
def test_what_could_not_be_sorted_is_counted(run: Run, work: Path) -> None:
    (photo,) = make(work / "in", "a.jpg")
    link = work / "in" / "link.jpg"
    link.symlink_to(photo)
    with run.open("o.jsonl", sort=MOVING) as sink:
        sink.write(records(sink, link, photo))
    assert sink.unsorted == 1
    assert list(tree(work / "out")) == ["cat/a.jpg"] and link.is_symlink()
