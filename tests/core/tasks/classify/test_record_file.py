from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from imgcls.core.errors import NoImagesError, OutputError
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.classify.record_file import RecordFile


def _inputs(folder: Path, count: int) -> list[Source]:
    for number in range(count):
        (folder / f"{number:03}.jpg").write_bytes(bytes([number]))
    return [Source(str(folder / f"{number:03}.jpg")) for number in range(count)]


def _piece(source: Source) -> str:
    content = Path(source.name).read_bytes() if Path(source.name).exists() else b"gone"
    return f"{source.name} {content!r}\n"


def _run(
    out: Path, sources: list[Source], *, resume: bool, stop_after: int = 1000, options: str = "x"
) -> tuple[int, int]:
    """Write records until `stop_after`; return how many were written and skipped."""
    written = 0
    with RecordFile(str(out), header="HEAD\n", options=options, resume=resume) as file:
        for source in file.todo(sources):
            if written == stop_after:
                raise KeyboardInterrupt
            file.append(_piece(source))
            written += 1
    return written, file.skipped


def _whole(sources: list[Source]) -> str:
    return "HEAD\n" + "".join(map(_piece, sources))


def test_an_interrupted_run_leaves_the_part_and_resume_completes_it(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 10), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        _run(out, sources, resume=False, stop_after=4)
    assert not out.exists()
    assert (tmp_path / "out.part").read_text() == _whole(sources[:4])
    assert _run(out, sources, resume=True) == (6, 4)
    assert out.read_text() == _whole(sources)
    assert sorted(p.name for p in tmp_path.iterdir() if "out" in p.name) == [".out.resume", "out"]


def test_a_damaged_end_is_done_again_wherever_it_is_cut(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 6), tmp_path / "out"
    part, journal = tmp_path / "out.part", tmp_path / ".out.resume"
    with pytest.raises(KeyboardInterrupt):
        _run(out, sources, resume=False, stop_after=5)
    records, entries = part.read_bytes(), journal.read_bytes()
    cuts = random.Random(0)
    for _ in range(60):
        part.write_bytes(records[: cuts.randint(0, len(records))])
        journal.write_bytes(entries[: cuts.randint(0, len(entries))])
        out.unlink(missing_ok=True)
        written, skipped = _run(out, sources, resume=True)
        assert written + skipped == 6
        assert out.read_text() == _whole(sources)


def test_resume_adds_to_a_finished_output(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 8), tmp_path / "out"
    _run(out, sources[:5], resume=False)
    assert _run(out, sources, resume=True) == (3, 5)
    assert out.read_text() == _whole(sources)


def test_a_changed_input_is_done_again_and_its_old_record_goes(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 5), tmp_path / "out"
    _run(out, sources, resume=False)
    Path(sources[1].name).write_bytes(b"new content")
    os.utime(sources[3].name, ns=(1, 1))
    assert _run(out, sources, resume=True) == (2, 3)
    assert sorted(out.read_text().splitlines()) == sorted(_whole(sources).splitlines())
    assert _run(out, sources, resume=True) == (0, 5)


def test_an_old_record_goes_also_where_the_run_that_replaced_it_was_killed(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 6), tmp_path / "out"
    _run(out, sources[:5], resume=False)
    Path(sources[1].name).write_bytes(b"new content")
    with pytest.raises(KeyboardInterrupt):
        _run(out, sources, resume=True, stop_after=1)
    assert _run(out, sources, resume=True) == (1, 5)
    assert sorted(out.read_text().splitlines()) == sorted(_whole(sources).splitlines())


def test_an_input_named_twice_has_two_records(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 3), tmp_path / "out"
    twice = [*sources, *sources]
    for stop_after in range(6):
        out.unlink(missing_ok=True)
        with pytest.raises(KeyboardInterrupt):
            _run(out, twice, resume=False, stop_after=stop_after)
        assert _run(out, twice, resume=True) == (6 - stop_after, stop_after)
        assert out.read_text() == _whole(twice)
    Path(sources[2].name).write_bytes(b"new content")
    assert _run(out, twice, resume=True) == (2, 4)
    assert sorted(out.read_text().splitlines(True)[1:]) == sorted(map(_piece, twice))


def test_a_missing_input_that_came_is_done_again(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 3), tmp_path / "out"
    Path(sources[2].name).unlink()
    _run(out, sources, resume=False)
    assert _run(out, sources, resume=True) == (0, 3)
    Path(sources[2].name).write_bytes(b"here")
    assert _run(out, sources, resume=True) == (1, 2)
    assert out.read_text() == _whole(sources)


def test_other_options_do_everything_again(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 3), tmp_path / "out"
    _run(out, sources, resume=False)
    assert _run(out, sources, resume=True, options="y") == (3, 0)
    assert out.read_text() == _whole(sources)


def test_an_output_without_a_journal_is_done_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sources, out = _inputs(tmp_path, 3), tmp_path / "out"
    _run(out, sources, resume=False)
    (tmp_path / ".out.resume").unlink()
    assert _run(out, sources, resume=True) == (3, 0)
    assert out.read_text() == _whole(sources)
    assert "does not say which inputs it has" in caplog.text


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (
        RecordFile(str(out), header="", options="", resume=False),
        pytest.raises(OutputError, match="another run is writing it"),
    ):
        RecordFile(str(out), header="", options="", resume=False)
    assert out.exists()


def test_an_earlier_output_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 3), tmp_path / "out"
    out.write_text("earlier")
    with pytest.raises(KeyboardInterrupt):
        _run(out, sources, resume=False, stop_after=2)
    assert out.read_text() == "earlier"


def test_of_no_record_nothing_is_left_and_the_earlier_output_can_be_added_to(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sources, out = _inputs(tmp_path, 4), tmp_path / "out"
    _run(out, sources[:3], resume=False)
    with pytest.raises(KeyboardInterrupt):
        _run(out, sources, resume=False, stop_after=0)
    assert not (tmp_path / "out.part").exists()
    assert caplog.messages == []
    assert _run(out, sources, resume=True) == (1, 3)
    assert out.read_text() == _whole(sources)


@pytest.mark.skipif(os.name == "nt", reason="needs setrlimit")
@pytest.mark.posix
@pytest.mark.parametrize("resume", [False, True])
def test_of_failures_alone_nothing_is_left(tmp_path: Path, resume: bool) -> None:
    sources, out = _inputs(tmp_path, 3), tmp_path / "out"
    with (
        pytest.raises(NoImagesError),
        RecordFile(str(out), header="HEAD\n", options="x", resume=resume) as file,
    ):
        for source in file.todo(sources):
            file.append(_piece(source))
        raise NoImagesError
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_what_was_done_before_is_kept_when_all_else_fails(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 3), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        _run(out, sources, resume=False, stop_after=2)
    with (
        pytest.raises(NoImagesError),
        RecordFile(str(out), header="HEAD\n", options="x", resume=True) as file,
    ):
        for source in file.todo([sources[2]]):
            file.append(_piece(source))
        raise NoImagesError
    assert (tmp_path / "out.part").read_text() == _whole(sources)
    assert _run(out, sources, resume=True) == (0, 3)


def test_a_record_that_does_not_fit_leaves_only_whole_ones(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import resource
    import signal

    sources, out = _inputs(tmp_path, 3), tmp_path / "out"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        for first, left in (("small", b"HEAD\nsmall"), ("x" * 200_000, None)):
            with (
                pytest.raises(OutputError, match="File too large"),
                RecordFile(str(out), header="HEAD\n", options="", resume=False) as file,
            ):
                for piece, _ in zip((first, "x" * 200_000), file.todo(sources), strict=False):
                    file.append(piece)
            part = tmp_path / "out.part"
            assert (part.read_bytes() if part.exists() else None) == left
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert caplog.messages == [
        f"{out}.part has the records that are done; the same command with `resume` goes on"
    ]


def test_an_input_that_was_moved_away_is_done(tmp_path: Path) -> None:
    sources, out = _inputs(tmp_path, 3), tmp_path / "out"
    names: list[str] = []
    with RecordFile(str(out), header="", options="x", resume=False, moved=True) as file:
        for source in file.todo(sources):
            file.append(f"{source.name}\n")
    for name in ("000.jpg", "002.jpg"):
        (tmp_path / name).unlink()
    with RecordFile(str(out), header="", options="x", resume=True, moved=True) as file:
        assert list(file.todo(sources, names.append)) == []
    assert names == [source.name for source in sources]
    assert out.read_text().splitlines() == names


def test_another_image_that_has_the_name_of_a_moved_one_has_its_own_record(tmp_path: Path) -> None:
    (source,), out = _inputs(tmp_path, 1), tmp_path / "out"
    for content in (b"first", b"second, longer"):
        Path(source.name).write_bytes(content)
        for _ in range(2):
            with RecordFile(
                str(out), header="", options="x", resume=out.exists(), moved=True
            ) as file:
                for _ in file.todo([source]):
                    file.append(f"{content!r}\n")
    assert out.read_text() == "b'first'\nb'second, longer'\n"
