"""`--cluster`: what is refused at once, and, slow, the real thing on real Ray nodes."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imgcls.cli.main import run
from imgcls.core import stores
from tests.conftest import run_s3_server, s3_env

Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["predict", *arguments])
    return code, capsys.readouterr().err.removeprefix("Error: ").strip()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--part-size", "9"], "--part-size goes with --cluster"),
        (
            ["--cluster", "local", "-o", "out", "--resume", "--fail-fast"],
            "--cluster does not go with --fail-fast or --resume",
        ),
        (
            ["--cluster", "http://x", "-o", "out"],
            "--cluster http://x: is no address; use local, auto or ray://HOST:PORT",
        ),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert error_of(capsys, "in", *arguments) == (2, said)


def is_progress(line: str) -> bool:
    """Whether a line says how far a run is that takes long, as on a busy machine."""
    return re.match(r"\d+/\d+ images \(\d+%\)", line) is not None


def whole(folder: Path) -> bytes:
    """Return all records of a folder of JSONL parts."""
    return b"".join(part.read_bytes() for part in parts_in(folder))


def parts_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*"))


@pytest.mark.slow
@pytest.mark.posix
def test_the_parts_are_what_one_machine_writes(
    imgcls: Imgcls, samples: Path, tmp_path: Path
) -> None:
    """One folder for all: parts, summary, restart, errors, nothing left behind."""
    pytest.importorskip("ray")
    (tmp_path / "in").mkdir()
    photos = sorted(samples.glob("*.jpg"))
    for number in range(20):
        os.link(photos[number % len(photos)], tmp_path / "in" / f"{number:02}.jpg")
    (tmp_path / "in" / "05.jpg").unlink()
    (tmp_path / "in" / "05.jpg").write_bytes(b"\xff\xd8\xff")
    assert imgcls("predict", "in", "-o", "single.jsonl").returncode == 3
    single = (tmp_path / "single.jsonl").read_bytes()
    cluster = ("predict", "in", "--cluster", "local", "-f", "jsonl", "--part-size", "8")

    done = imgcls(*cluster, "-o", "out")
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    *before, last = done.stderr.splitlines()
    assert last.startswith("20 images in ") and all(map(is_progress, before)), done.stderr
    seconds = float(last.split()[3])
    assert 1 < seconds < 600
    parts = parts_in(tmp_path / "out")
    assert whole(tmp_path / "out") == single
    summary = json.loads((tmp_path / "out" / "_summary.json").read_text())
    assert (summary["images"], summary["ok"], summary["failed"]) == (20, 19, 1)
    assert summary["errors"][0]["path"] == os.path.join("in", "05.jpg")

    # What a worker cannot do is said in its words.
    content = parts[1].read_bytes()
    parts[1].unlink()
    parts[1].mkdir()
    done = imgcls(*cluster, "-o", "out")
    said = f"Error: {Path('out', parts[1].name)}: cannot be written: Is a directory"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, said), done.stderr
    assert all(map(is_progress, done.stderr.splitlines()[:-1])), done.stderr
    parts[1].rmdir()

    # An output part that is cut is made again, and nothing else.
    parts[1].write_bytes(content[:-1])
    kept = {part: part.stat().st_mtime_ns for part in (parts[0], parts[2])}
    done = imgcls(*cluster, "-o", "out")
    assert done.returncode == 3 and "16 images" not in done.stderr
    assert "12 were there already" in done.stderr, done.stderr
    assert {part: part.stat().st_mtime_ns for part in kept} == kept
    assert whole(tmp_path / "out") == single

    # All is there: no Ray is started.
    done = imgcls(*cluster, "-o", "out")
    assert done.stderr.startswith("0 images in 0.") and "20 were there already" in done.stderr


class Nodes:
    """Real Ray nodes on the loopback interface: a head and two workers; see ray_nodes.py."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("ray_nodes.py"), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.address = self._read()
        self.client_address = self._read()

    def kill(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._read() == "done"

    def end(self) -> None:
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray")
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        nodes = Nodes(Path(folder))  # in a short path: sockets have no longer names
        yield nodes
        nodes.end()


def begin(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the program and let it go on."""
    return subprocess.Popen(
        [sys.executable, "-m", "imgcls", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def await_parts(child: subprocess.Popen[str], folder: Path, count: int) -> set[str]:
    """Wait until so many parts are whole while the program still runs; return their names."""
    while child.poll() is None:
        there = {note.name.removesuffix(".json") for note in folder.glob("_job/part-*l.json")}
        if len(there) >= count:
            return there
        time.sleep(0.02)  # as a user who looks into the folder
    raise AssertionError(child.communicate()[1])


@pytest.mark.slow
@pytest.mark.linux
def test_whatever_dies_each_input_has_one_record(
    imgcls: Imgcls, samples: Path, tmp_path: Path, nodes: Nodes
) -> None:
    (tmp_path / "in").mkdir()
    photos = sorted(samples.glob("*.jpg"))
    for number in range(320):
        os.link(photos[number % len(photos)], tmp_path / "in" / f"{number:03}.jpg")
    assert imgcls("predict", "in", "-o", "single.jsonl").returncode == 0
    single = (tmp_path / "single.jsonl").read_bytes()
    common = ("-f", "jsonl", "--part-size", "8", "--cluster", nodes.address)

    # The driver is killed, and the command started again; a Ctrl-C ends it tidily.
    out = tmp_path / "out"
    child = begin(tmp_path, "predict", "in", "-o", "out", *common)
    await_parts(child, out, 3)
    child.kill()
    child.communicate()
    child = begin(tmp_path, "predict", "in", "-o", "out", *common)
    there = await_parts(child, out, 6)
    written = {name: (out / name).stat().st_mtime_ns for name in there}
    child.send_signal(signal.SIGINT)
    stdout, stderr = child.communicate()
    *before, last = stderr.splitlines()
    assert (child.returncode, stdout, last) == (130, "", "Error: interrupted")
    assert all(map(is_progress, before)), stderr

    # A process that works on a part is killed, then a whole node.
    child = begin(tmp_path, "predict", "in", "-o", "out", *common)
    await_parts(child, out, len(there) + 4)
    nodes.kill("process")
    await_parts(child, out, len(there) + 10)
    nodes.kill("node")
    stdout, stderr = child.communicate()
    assert (child.returncode, stdout) == (0, ""), stderr
    *before, last = stderr.splitlines()
    assert all(map(is_progress, before)), stderr
    assert " images in " in last and " were there already" in stderr
    assert whole(out) == single
    assert len(parts_in(out)) == 40 and not list(out.glob("_job/*.inputs.json"))
    assert {name: (out / name).stat().st_mtime_ns for name in there} == written
    assert json.loads((out / "_summary.json").read_text())["images"] == 320

    # As a client of a cluster elsewhere.
    elsewhere = ("--cluster", nodes.client_address, "-o", "out2", "-f", "jsonl")
    patient = {"RAY_CLIENT_INITIAL_CONNECTION_TIMEOUT_S": "30"}  # the machine may be busy
    done = imgcls("predict", samples, *elsewhere, env=patient)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert all(map(is_progress, done.stderr.splitlines()[:-1])), done.stderr
    assert whole(tmp_path / "out2").decode() == imgcls("predict", samples, "-f", "jsonl").stdout


def processes_of(folder: str) -> list[str]:
    """Return the command lines that name a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if folder in line:
                found.append(line)
    return found


@pytest.mark.slow
@pytest.mark.linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_cluster_that_was_started_here_ends_with_the_command(
    imgcls: Imgcls, samples: Path, tmp_path: Path, number: signal.Signals
) -> None:
    pytest.importorskip("ray")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        (tmp_path / "in").mkdir()
        for count in range(400):
            os.link(samples / "cat.jpg", tmp_path / "in" / f"{count:03}.jpg")
        os.environ["TMPDIR"], before = temporary, os.environ.get("TMPDIR")
        try:
            child = begin(
                tmp_path,
                "predict",
                "in",
                "-o",
                "o",
                *("--cluster", "local", "-f", "jsonl"),
                *("--part-size", "4"),
            )
        finally:
            os.environ.pop("TMPDIR")
            if before is not None:
                os.environ["TMPDIR"] = before
        await_parts(child, tmp_path / "o", 1)
        assert processes_of(temporary)
        os.killpg(child.pid, number)  # as the terminal does
        child.communicate()
        deadline = time.monotonic() + 20
        while processes_of(temporary) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert processes_of(temporary) == []
        if number == signal.SIGINT:
            assert child.returncode == 130
            assert os.listdir(temporary) == []


@pytest.mark.slow
def test_features_are_those_of_one_machine(
    imgcls: Imgcls, two_classes: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    parquet = pytest.importorskip("pyarrow.parquet")
    (two_classes / "squares" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    cluster = ("--cluster", "local", "-o", "out", "--part-size", "10")
    done = imgcls("features", "two_classes", *cluster)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert imgcls("features", "two_classes", "-o", "single.parquet").returncode == 3
    single = parquet.read_table(tmp_path / "single.parquet").to_pylist()
    parts = [parquet.read_table(part).to_pylist() for part in parts_in(tmp_path / "out")]
    assert [len(part) for part in parts] == [10, 10, 5]
    assert list(itertools.chain.from_iterable(parts)) == single
    assert {row["label"] for row in single} == {"squares", "stripes"}
    assert imgcls("features", "two_classes", *cluster[:-1], "11").returncode == 1


@pytest.mark.slow
def test_from_a_store_into_a_store(imgcls: Imgcls, samples: Path, bucket: str) -> None:
    pytest.importorskip("ray")
    for photo in sorted(samples.glob("*.jpg")):
        stores.write(f"{bucket}/in/{photo.name}", photo.read_bytes())
    stores.write(f"{bucket}/in/bad.jpg", b"\xff\xd8\xff")
    done = imgcls("predict", f"{bucket}/in", "-f", "jsonl")
    assert done.returncode == 3 and f'{{"path": "{bucket}/in/bad.jpg"' in done.stdout
    out = ("--cluster", "local", "-o", f"{bucket}/out", "-f", "jsonl", "--part-size", "2")
    on_cluster = imgcls("predict", f"{bucket}/in", *out)
    assert on_cluster.returncode == 3, on_cluster.stderr
    parts = [one.uri for one in stores.entries(f"{bucket}/out") if "/part-" in one.uri]
    assert len(parts) == 3
    assert b"".join(map(stores.read, parts)).decode() == done.stdout
    assert json.loads(stores.read(f"{bucket}/out/_summary.json"))["failed"] == 1
    done = imgcls("predict", f"{bucket}/in", *out)
    assert done.stderr.startswith("0 images in ") and "6 were there already" in done.stderr
    done = imgcls("predict", f"{bucket}/none", *out, "--force")
    assert (done.returncode, done.stderr) == (1, f"Error: {bucket}/none: no such object\n")


@pytest.mark.slow
def test_a_bucket_without_permission_is_one_line(imgcls: Imgcls) -> None:
    pytest.importorskip("ray")
    with run_s3_server(INITIAL_NO_AUTH_ACTION_COUNT="0") as address:
        arguments = ("predict", "s3://theirs/photos", "--cluster", "local", "-o", "out")
        done = imgcls(*arguments, env=s3_env(address))
        said = "Error: s3://theirs/photos: cannot be listed: access denied\n"
        assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
        done = imgcls(*arguments[:-1], "s3://theirs/out", env=s3_env(address))
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.startswith("Error: s3://theirs/out: cannot be read: invalid access key")
