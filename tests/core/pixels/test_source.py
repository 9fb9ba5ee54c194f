"""How one source is read, and what it says when it cannot be."""

from __future__ import annotations

import http.server
import io
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcls.core.errors import ImageError
from imgcls.core.pixels import source
from imgcls.core.pixels.sources import Source, expand

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve images on this machine; return the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/moved"):
                self.send_response(302)
                self.send_header("Location", "/a.png")
                self.end_headers()
                return
            if self.path.startswith("/cut"):
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(PNG)
                return
            if not self.path.startswith("/a.png"):
                self.send_error(404)
                return
            assert self.headers["User-Agent"].startswith("imgcls/")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PNG)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.delenv("IMGCLS_OFFLINE")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0"])
def test_a_list_on_stdin_is_told_from_an_image(
    end: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    monkeypatch.chdir(tmp_path)
    for content in (PNG, b"not there.png" + end):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert Source("-", "stdin").read() == content
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a.png" + end + b"b.png" + end)))
    with pytest.raises(ImageError, match=r"no image; a list is read with files-from$"):
        Source("-", "stdin").read()


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "absent.jpg", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(ImageError, match=f"^{reason}$"):
            Source(str(path)).read()
    with pytest.raises(ImageError, match=r"^file name too long$"):
        Source("x" * 5000).read()


def test_path_that_holds_nul() -> None:
    with pytest.raises(ImageError, match=r"^no file name: embedded null byte$"):
        Source("a\0b.jpg").read()


@pytest.mark.parametrize("path", ["/a.png", "/a.png?size=[1]*", "/moved"])
def test_url(server: str, path: str) -> None:
    (source,) = expand([server + path])
    assert (source.name, source.kind, source.read()) == (server + path, "url", PNG)


def test_url_that_is_not_there(server: str) -> None:
    with pytest.raises(ImageError, match=r"^the server answers 404 Not Found$"):
        Source(f"{server}/absent.png", "url").read()


def test_url_that_breaks_off(server: str) -> None:
    with pytest.raises(ImageError, match=r"^cannot be fetched: the connection was cut$"):
        Source(f"{server}/cut", "url").read()


def test_url_too_large(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", len(PNG) - 1)
    with pytest.raises(ImageError, match=r"^larger than 0 MB$"):
        Source(f"{server}/a.png", "url").read()


def test_url_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMGCLS_OFFLINE")
    with socket.socket() as unused:  # bound, but nobody listens
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.png"
        with pytest.raises(ImageError, match=r"^cannot be fetched: .*[Rr]efused"):
            Source(url, "url").read()


@pytest.mark.parametrize("url", ["http://", "http://[::1/a.png", "http://127.0.0.1:x/a.png"])
def test_url_of_no_sense(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMGCLS_OFFLINE")
    with pytest.raises(ImageError, match=r"^cannot be fetched: "):
        Source(url, "url").read()


def test_offline_opens_no_connection(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGCLS_OFFLINE", "1")
    with pytest.raises(ImageError, match=r"^not fetched: the network is forbidden"):
        Source(f"{server}/a.png", "url").read()


@pytest.mark.posix
def test_devices_and_pipes_are_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "zero.jpg"
    link.symlink_to("/dev/zero")
    with pytest.raises(ImageError, match=r"^a device or a socket, not a file$"):
        Source(str(link)).read()
    os.mkfifo(tmp_path / "pipe.jpg")
    monkeypatch.setattr(source, "_PIPE_SECONDS", 0.05)
    with pytest.raises(ImageError, match=r"^a pipe that nobody ended within 0 s$"):
        Source(str(tmp_path / "pipe.jpg")).read()


@pytest.mark.posix
def test_a_pipe_that_a_shell_made_is_read() -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, PNG)
    os.close(write_end)
    assert Source(f"/dev/fd/{read_end}").read() == PNG
    os.close(read_end)


def test_size_is_looked_at_before_reading(tmp_path: Path) -> None:
    with open(tmp_path / "sparse.png", "wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(ImageError, match=r"^larger than 256 MB$"):
        Source(str(tmp_path / "sparse.png")).read()


@pytest.mark.posix
def test_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "absent")
    with pytest.raises(ImageError, match=r"^a link that leads nowhere$"):
        Source(str(tmp_path / "a.jpg")).read()


def test_reading_changes_nothing(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes((samples / "cat.jpg").read_bytes())
    before = path.stat()
    assert Source(str(path)).read() == (samples / "cat.jpg").read_bytes()
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_content_that_was_read_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"first")
    read = Source(str(path), root="in", label="cat").with_content()
    path.unlink()
    assert (read.read(), read.root, read.label) == (b"first", "in", "cat")
    assert read == Source(str(path), root="in", label="cat")
    gone = Source(str(path)).with_content()
    assert (gone.kind, gone.reason, gone.content) == ("missing", "no such file", None)
    with pytest.raises(ImageError, match=r"^no such file$"):
        gone.read()
