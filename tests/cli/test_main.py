"""The group, exit codes, signals and pipes, with `predict` as the command that is run."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from imgcls.cli.main import COMMANDS, cli, short_help
from imgcls.core.version import __version__
from tests.conftest import Imgcls


@pytest.fixture(autouse=True, scope="module")
def compiled(cache: Path) -> None:
    """Compile the default model before a test looks at what a later run says."""
    from imgcls import load_model

    load_model(threads=1)


def test_without_arguments_the_usage_is_an_error(imgcls: Imgcls) -> None:
    done = imgcls()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: imgcls [OPTIONS] COMMAND [ARGS]...\n")
    assert done.stderr.count("\n  imgcls ") == 3  # examples


def test_help(imgcls: Imgcls) -> None:
    for arguments in (["-h"], ["--help"], ["predict", "-h"], ["predict", "--help"]):
        done = imgcls(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Usage: imgcls ")


@pytest.mark.parametrize(
    "name", ["predict", "heatmap", "activations", "features", "finetune", "evaluate", "audit"]
)
def test_the_help_of_a_command_begins_with_examples_that_are_right(name: str) -> None:
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    examples = re.findall(
        r"^imgcls (\w+) (.*)$", inspect.cleandoc(command.help or ""), re.MULTILINE
    )
    assert len(examples) == 2 and examples[0][0] == name
    for example, arguments in examples:
        known = cli.get_command(context, example)
        assert known is not None
        known.make_context(example, shlex.split(arguments))  # no option that there is not


def test_version(imgcls: Imgcls) -> None:
    done = imgcls("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"imgcls {__version__}\n", "")


def test_unknown_command_names_a_near_one(imgcls: Imgcls) -> None:
    done = imgcls("predikt", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: predikt: no such command; did you mean predict?\n"
    done = imgcls("qqqq")
    assert done.returncode == 2
    assert done.stderr == "Error: qqqq: no such command; imgcls --help lists them\n"


def test_unknown_option(imgcls: Imgcls) -> None:
    done = imgcls("--verbos", "predict")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ") and "--verbose" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_short_help_is_read_from_the_docstring(name: str) -> None:
    module, function = COMMANDS[name]
    command = getattr(importlib.import_module(f"imgcls.cli.{module}"), function)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.get_short_help_str(limit=1000) == short_help(module, function)
    assert short_help(module, function).endswith(".")


def leaves(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from leaves(found)


def test_every_option_has_help() -> None:
    bare = [
        (command.name, option.opts)
        for command in leaves(cli)
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden and not option.help
    ]
    assert bare == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_show_completion(imgcls: Imgcls, shell: str) -> None:
    done = imgcls("--show-completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_IMGCLS_COMPLETE" in done.stdout
    assert "imgcls" in done.stdout


def test_completion_of_a_word(imgcls: Imgcls) -> None:
    asked = {"_IMGCLS_COMPLETE": "bash_complete", "COMP_WORDS": "imgcls pre", "COMP_CWORD": "1"}
    done = imgcls(env=asked)
    assert (done.returncode, done.stdout) == (0, "plain,predict\n")
    asked |= {"COMP_WORDS": "imgcls predict --resize ", "COMP_CWORD": "3"}
    assert imgcls(env=asked).stdout == "plain,crop\nplain,squash\nplain,pad\n"


LOADED = """
import sys
from imgcls.cli.main import run
code = run(sys.argv[1:])
modules = {name.partition(".")[0] for name in sys.modules}
print(code, *sorted(modules & {"tensorflow", "keras", "numpy", "PIL", "rich", "ai_edge_litert"}))
"""


def loaded(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


def test_help_imports_nothing_heavy() -> None:
    assert loaded("--help") == "0"


def test_predict_leaves_tensorflow_and_keras_alone(samples: Path) -> None:
    assert loaded("predict", str(samples / "cat.jpg")) == "0 PIL ai_edge_litert numpy"


UNUSED = """
import sys
from imgcls.cli.main import run
run(sys.argv[1:])
rooms = "tasks.cluster.run tasks.labelled tasks.classify.sorting tasks.classify.record_file "
rooms += "tasks.classify.undo tasks.classify.journal models.model_file models.foreign_files "
rooms += "models.network_description models.backbones engines.closed offline"
print([room for room in rooms.split() if f"imgcls.core.{room}" in sys.modules])
"""


def test_predict_imports_only_the_rooms_that_it_uses(samples: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNUSED, "predict", samples / "cat.jpg"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_installed_program_from_another_folder(tmp_path: Path, samples: Path) -> None:
    shutil.copy(samples / "cat.jpg", tmp_path)
    program = Path(sys.executable).with_name("imgcls")
    done = subprocess.run(
        [program, "predict", "cat.jpg", "-k1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("cat.jpg: tiger_cat (37.45%)\n", "")


def test_verbose_shows_the_traceback(imgcls: Imgcls) -> None:
    quiet, verbose = imgcls("predict", "x", "-m", "q"), imgcls("-v", "predict", "x", "-m", "q")
    assert "Traceback" not in quiet.stderr
    assert "Traceback (most recent call last):" in verbose.stderr
    assert verbose.stderr.endswith(quiet.stderr)


@pytest.fixture
def endless(samples: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `predict` on a list that has given one photo and not ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "imgcls", "predict", "--files-from", "-", "-k1"],
        cwd=samples,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b"cat.jpg\n")
    process.stdin.flush()
    # A record is there as soon as it is done, though the list goes on.
    assert process.stdout.readline() == b"cat.jpg: tiger_cat (37.45%)\n"
    yield process
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
@pytest.mark.posix
def test_ctrl_c_ends_with_130_and_sigterm_with_143(
    endless: subprocess.Popen[bytes], number: signal.Signals, code: int, message: str
) -> None:
    endless.send_signal(number)
    assert endless.wait(timeout=20) == code
    assert endless.stderr is not None
    assert endless.stderr.read() == f"Error: {message}\n".encode()


@pytest.mark.posix
def test_interrupted_run_leaves_the_part(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as list_, open(write_end, "wb", buffering=0) as names:
        names.write(b"cat.jpg\n")
        process = subprocess.Popen(
            [sys.executable, "-m", "imgcls", "predict", "--files-from", "-", "-o", out],
            cwd=samples,
            stdin=list_,
            stderr=subprocess.PIPE,
        )
        part = tmp_path / "out.jsonl.part"
        while process.poll() is None and not (part.exists() and part.read_bytes().endswith(b"\n")):
            pass
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 143
    assert not out.exists()
    assert part.read_text().startswith('{"path": "cat.jpg"')


def test_closed_pipe_is_quiet(endless: subprocess.Popen[bytes]) -> None:
    assert endless.stdin is not None and endless.stdout is not None
    endless.stdout.close()
    endless.stdin.write(b"cat.jpg\ncoffee.jpg\n")
    endless.stdin.close()
    assert endless.wait(timeout=20) == 0
    assert endless.stderr is not None
    assert endless.stderr.read() == b""


@pytest.mark.posix
def test_closed_pipe_of_a_shell(samples: Path) -> None:
    command = f'"{sys.executable}" -m imgcls predict . . . . | head -1; echo ${{PIPESTATUS[0]}}'
    done = subprocess.run(
        ["bash", "-c", command], cwd=samples, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["./cat.jpg", "0"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("closed", "code", "out", "err"),
    [
        ("<&-", 1, "-: error: bad file descriptor\n", "Error: no image could be read (1 failed)\n"),
        (">&-", 1, "", "Error: standard output: cannot be written: Bad file descriptor\n"),
        ("2>&-", 0, "cat.jpg: tiger_cat (37.45%)\n", ""),
    ],
)
@pytest.mark.posix
def test_of_a_closed_stream_one_line_is_said_where_it_is_needed(
    samples: Path, closed: str, code: int, out: str, err: str
) -> None:
    input_ = "-" if closed == "<&-" else "cat.jpg"
    command = f'"{sys.executable}" -m imgcls predict {input_} -k1 {closed}'
    done = subprocess.run(
        ["bash", "-c", command], cwd=samples, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, out, err)


def test_files_in_the_folder_are_never_run(tmp_path: Path, samples: Path) -> None:
    # The compiler is a process of its own; what lies about where imgcls runs must not get in.
    for name in ("numpy", "json", "tensorflow", "imgcls"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the folder was run')")
    (tmp_path / "notes.h5").write_text("Dear diary")
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "imgcls", "predict", samples / "cat.jpg"),
            *("-m", "mobilenet-v2", "--weights", "notes.h5"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "mobilenet-v2: compiling it for this machine, once\n"
        "Error: notes.h5: not a weights file; "
        "mobilenet-v2 takes .h5 as Keras publishes it, or .weights.h5\n"
    )


def test_common_options_stand_after_a_command_too(imgcls: Imgcls, samples: Path) -> None:
    loud = imgcls("predict", samples, "-k1")
    quiet = imgcls("predict", samples, "-k1", "-q")
    assert quiet.stdout == loud.stdout
    assert loud.stderr.startswith("5 images in ")
    assert quiet.stderr == ""
    url = imgcls(
        *("predict", "http://127.0.0.1:9/cat.jpg", "--offline"), env={"IMGCLS_OFFLINE": ""}
    )
    assert url.returncode == 1
    assert "not fetched: the network is forbidden (IMGCLS_OFFLINE)" in url.stdout
    listed = imgcls("models", "list", "--quiet", "-f", "json")
    assert (listed.returncode, listed.stderr) == (0, "")


@pytest.mark.linux
def test_too_few_files_that_may_be_open_is_one_line(samples: Path) -> None:
    command = 'ulimit -n 5; exec "$0" -m imgcls predict cat.jpg -k1'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable],
        cwd=samples,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and done.stderr.endswith(": Too many open files\n")
    assert done.stderr.count("\n") == 1


def test_a_package_that_cannot_be_loaded_is_one_line(imgcls: Imgcls, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('libblas.so: no such file')")
    done = imgcls("predict", "cat.jpg", env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: a package that imgcls needs cannot be loaded (libblas.so: no such file); "
        "install imgcls anew\n"
    )
