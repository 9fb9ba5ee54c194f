"""The completion scripts in real shells, on a pseudo terminal of 80×24, key by key."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import struct
import sys
import time
from pathlib import Path

import pytest

START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
INSTALL = {
    "bash": 'eval "$(imgcls --show-completion bash)"',
    "zsh": 'bindkey -e; autoload -U compinit; compinit -u; eval "$(imgcls --show-completion zsh)"',
    "fish": "imgcls --show-completion fish | source",
}
SECONDS = 60  # for one answer, on a machine that has much else to do

# What is typed before TAB → the line that stands there then.
LINES = {
    "imgcls fine": "imgcls finetune",
    "imgcls predict pho": "imgcls predict photos/",
    "imgcls predict my": "imgcls predict my photos/",
    "imgcls predict -o pho": "imgcls predict -o photos/",
    "imgcls predict -m mi": "imgcls predict -m mine.safetensors",
    "imgcls predict -m densenet12": "imgcls predict -m densenet121",
    "imgcls predict -f pa": "imgcls predict -f parquet",
    "imgcls predict --files-from no": "imgcls predict --files-from notes.txt",
    "imgcls finetune mi": "imgcls finetune mi.csv",
    "imgcls models import mi": "imgcls models import mi.h5",
    "imgcls heatmap --class Egyptian_": "imgcls heatmap --class Egyptian_cat",
}


class Terminal:
    """A shell on a pseudo terminal."""

    def __init__(self, shell: str, folder: Path) -> None:
        import fcntl
        import pty
        import termios

        environment = os.environ | {
            "HOME": str(folder.parent),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TERM": "xterm" if shell == "fish" else "dumb",
        }
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(START[shell][0], START[shell], environment)
        size = struct.pack("HHHH", 24, 80, 0, 0)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, size)
        self._shown = ""

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.descriptor)

    def run(self, line: str) -> None:
        """Run a line to its end."""
        self._type(f'{line}; echo DONE"."\r')
        self._await(r"DONE\.")

    def completed(self, beginning: str) -> str:
        """Return what a line becomes by TAB."""
        # Ctrl-A and Ctrl-E go to both ends of the line, to have it printed and not run.
        self._type(f'{beginning}\t\x01echo "LINE": \x05 DONE"."\r')
        return self._await(r"LINE: (.*?) *DONE\.").group(1).rstrip()

    def _type(self, keys: str) -> None:
        self._shown = ""
        os.write(self.descriptor, keys.encode())

    def _await(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if select.select([self.descriptor], [], [], 1)[0]:
                self._shown += os.read(self.descriptor, 2**16).decode("utf-8", "replace")
            plain = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\(B|\][^\x07]*\x07)", "", self._shown)
            if found := re.search(rf"(?:^|[\r\n]){pattern}", plain):
                return found
        raise AssertionError(f"no {pattern} in {SECONDS} s: {self._shown!r}")


@pytest.mark.slow
@pytest.mark.linux
@pytest.mark.parametrize("shell", START)
def test_completion(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    folder = tmp_path / "work"
    for name in ("photos", "my photos"):
        (folder / name).mkdir(parents=True)
    for name in ("mi.csv", "mi.h5", "mine.safetensors", "notes.txt"):
        (folder / name).write_bytes(b"")
    terminal = Terminal(shell, folder)
    try:
        terminal.run(INSTALL[shell])
        found = {line: terminal.completed(line) for line in LINES}
    finally:
        terminal.close()
    # A shell takes the / of a folder away where a space follows it, or leaves it.
    assert {line: end.rstrip("/") for line, end in found.items()} == {
        line: end.rstrip("/") for line, end in LINES.items()
    }


@pytest.mark.parametrize("shell", START)
def test_a_script_says_how_it_is_installed(shell: str) -> None:
    from imgcls.cli.main import cli
    from imgcls.cli.shells import SHELLS

    script = SHELLS[shell](cli, {}, "imgcls", "_IMGCLS_COMPLETE").source()
    install = INSTALL[shell].rpartition("; ")[2]
    assert f"#   {install}\n" in "".join(script.splitlines(keepends=True)[:3])
