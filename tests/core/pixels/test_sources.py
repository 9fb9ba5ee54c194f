"""INPUT... → sources: what is taken, in which order, and what a failure says."""

from __future__ import annotations

import http.server
import io
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcls.core.errors import ImageError, UsageError
from imgcls.core.pixels import sources
from imgcls.core.pixels.sources import Source, expand, is_heic_start, read_list, walk

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


def names(found: Iterator[Source]) -> list[str]:
    return [source.name for source in found]


def make(folder: Path, *paths: str) -> None:
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(PNG)


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folders_are_walked_in_order(inside: Path) -> None:
    make(inside, "f/b.jpg", "f/a/z.png", "f/a/y/x.gif", "f/c.JPG", "f/B.jpg", "f/a.jpg")
    assert names(expand(["f"])) == [
        *("f/B.jpg", "f/a/y/x.gif", "f/a/z.png", "f/a.jpg", "f/b.jpg", "f/c.JPG"),
    ]


def test_inputs_keep_their_order(inside: Path) -> None:
    make(inside, "f/1.jpg", "f/2.jpg", "e.jpg")
    assert names(expand(["f", "e.jpg", "f/1.jpg"])) == ["f/1.jpg", "f/2.jpg", "e.jpg", "f/1.jpg"]


def test_hidden_files_and_folders_are_skipped(inside: Path) -> None:
    make(inside, "f/.a.jpg", "f/.git/b.jpg", "f/c.jpg", "f/._c.jpg")
    assert names(expand(["f"])) == ["f/c.jpg"]


def test_hidden_ones_named_outright_are_taken(inside: Path) -> None:
    make(inside, ".f/a.jpg", ".b.jpg")
    assert names(expand([".f", ".b.jpg"])) == [".f/a.jpg", ".b.jpg"]


def test_links_to_folders_are_not_followed(inside: Path) -> None:
    make(inside, "f/a.jpg", "elsewhere/b.jpg")
    (inside / "f/loop").symlink_to(inside / "f")
    (inside / "f/other").symlink_to(inside / "elsewhere")
    (inside / "f/link.jpg").symlink_to(inside / "elsewhere/b.jpg")
    (inside / "f/dangling.jpg").symlink_to(inside / "absent.jpg")
    assert names(expand(["f"])) == ["f/a.jpg", "f/link.jpg"]
    assert names(expand(["f/other"])) == ["f/other/b.jpg"]  # named outright


def test_other_files_are_ignored(inside: Path) -> None:
    make(inside, "f/a.jpg")
    (inside / "f/notes.txt").write_text("Dear diary")
    (inside / "f/Thumbs.db").write_bytes(bytes(100))
    (inside / "f/empty").write_bytes(b"")
    os.mkfifo(inside / "f/pipe.jpg")  # reading it would wait for ever
    assert names(expand(["f"])) == ["f/a.jpg"]


def test_image_without_an_ending_is_taken(inside: Path) -> None:
    starts = {
        "avif": b"\x00\x00\x00\x20ftypavif" + bytes(20),
        "gif": b"GIF89a" + bytes(26),
        "heic": b"\x00\x00\x00\x18ftypheic" + bytes(20),
        "jp2": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(20),
        "jpeg": b"\xff\xd8\xff\xe0" + bytes(28),
        "tiff": b"II*\x00" + bytes(28),
        "webp": b"RIFF\x00\x00\x00\x00WEBP" + bytes(20),
    }
    (inside / "f").mkdir()
    for name, content in starts.items():
        (inside / "f" / name).write_bytes(content)
    make(inside, "f/png.dat")
    assert names(expand(["f"])) == [f"f/{name}" for name in sorted([*starts, "png.dat"])]


def test_file_named_outright_is_always_tried(inside: Path) -> None:
    (inside / "notes.txt").write_text("Dear diary")
    assert list(expand(["notes.txt", "absent"])) == [Source("notes.txt"), Source("absent")]


def test_folder_that_vanishes_says_so(inside: Path) -> None:
    make(inside, "f/a/1.jpg", "f/b/2.jpg", "f/c/3.jpg")
    found = walk("f")
    assert next(found).name == "f/a/1.jpg"
    (inside / "f/b/2.jpg").unlink()
    (inside / "f/b").rmdir()
    assert list(found) == [
        Source("f/b", "missing", "no such file or directory", root="f"),
        Source("f/c/3.jpg", root="f"),
    ]


def test_folder_that_cannot_be_listed_says_so(tmp_path: Path) -> None:
    # A file in its place cannot be listed by anyone, whatever the permissions.
    file = tmp_path / "file"
    file.write_bytes(b"")
    (missing,) = walk(str(file))
    assert (missing.kind, missing.reason) == ("missing", "not a directory")
    with pytest.raises(ImageError, match=r"^not a directory$"):
        missing.read()


@pytest.mark.parametrize("slice_", [1, 2, 3, 100])
def test_large_folders_are_sorted_a_slice_at_a_time(
    inside: Path, monkeypatch: pytest.MonkeyPatch, slice_: int
) -> None:
    monkeypatch.setattr(sources, "_SLICE", slice_)
    wanted = [f"f/{number:02}.jpg" for number in range(7)]
    make(inside, *reversed(wanted), "f/.hidden.jpg")
    assert names(expand(["f"])) == wanted
    assert names(expand(["f/*.jpg"])) == wanted


def test_names_that_are_not_utf_8(inside: Path) -> None:
    raw = b"f/caf\xe9.jpg"
    (inside / "f").mkdir()
    Path(os.fsdecode(raw)).write_bytes(PNG)
    (source,) = expand(["f"])
    assert os.fsencode(source.name) == raw
    assert source.read() == PNG


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("f/*.jpg", ["f/a.jpg", "f/b.jpg"]),
        ("f/?.jpg", ["f/a.jpg", "f/b.jpg"]),
        ("f/[b-z].*", ["f/b.jpg", "f/c.txt"]),
        ("*/a.jpg", ["f/a.jpg", "g/a.jpg"]),
        ("**/a.jpg", ["a.jpg", "f/a.jpg", "f/s/a.jpg", "g/a.jpg"]),
        ("f/**/*.jpg", ["f/a.jpg", "f/b.jpg", "f/s/a.jpg", "f/s/t/d.jpg"]),
        ("f/**", ["f/a.jpg", "f/b.jpg", "f/c.txt", "f/s/a.jpg", "f/s/t/d.jpg"]),
        ("f/s*", ["f/s/a.jpg", "f/s/t/d.jpg"]),  # a folder that matches is walked
        ("./g/*", ["./g/a.jpg"]),
        ("f/../g/*", ["f/../g/a.jpg"]),
        ("f/s/t/*.jpg", ["f/s/t/d.jpg"]),
        (".h/*", [".h/e.jpg"]),
    ],
)
def test_globs(inside: Path, pattern: str, expected: list[str]) -> None:
    make(inside, "f/b.jpg", "f/a.jpg", "f/c.txt", "f/s/a.jpg", "f/s/t/d.jpg", "g/a.jpg", "a.jpg")
    make(inside, ".h/e.jpg", "f/.hidden.jpg")
    assert names(expand([pattern])) == expected


def test_absolute_glob(inside: Path) -> None:
    make(inside, "f/b.jpg", "f/a.jpg")
    assert names(expand([f"{inside}/f/*.jpg"])) == [f"{inside}/f/a.jpg", f"{inside}/f/b.jpg"]


@pytest.mark.parametrize("pattern", ["*.jpg", "absent/*.jpg", "f/**/*.webp"])
def test_glob_that_matches_nothing_is_a_failed_input(inside: Path, pattern: str) -> None:
    make(inside, "f/a.png")
    (source,) = expand([pattern])
    assert source == Source(pattern, "missing", "no file matches")
    with pytest.raises(ImageError, match=r"^no file matches$"):
        source.read()


def test_file_whose_name_looks_like_a_glob(inside: Path) -> None:
    make(inside, "a[1].jpg", "a1.jpg", "[f]/b*.jpg")
    assert names(expand(["a[1].jpg", "[f]"])) == ["a[1].jpg", "[f]/b*.jpg"]


@pytest.mark.parametrize(
    ("content", "null"),
    [
        pytest.param(b"a.jpg\nd e.jpg\n", False, id="lines"),
        pytest.param(b"a.jpg\nd e.jpg", False, id="no end of line"),
        pytest.param(b"a.jpg\r\nd e.jpg\r\n", False, id="CRLF"),
        pytest.param(b"\na.jpg\n\n\nd e.jpg\n\n", False, id="empty lines"),
        pytest.param(b"a.jpg\0d e.jpg\0", True, id="NUL"),
        pytest.param(b"a.jpg\0d e.jpg", True, id="no last NUL"),
    ],
)
def test_files_from(inside: Path, content: bytes, null: bool) -> None:
    (inside / "list").write_bytes(content)
    assert names(read_list("list", null=null)) == ["a.jpg", "d e.jpg"]


def test_files_from_with_nul_keeps_new_lines_in_names(inside: Path) -> None:
    (inside / "list").write_bytes(b"a\nb.jpg\0")
    assert names(read_list("list", null=True)) == ["a\nb.jpg"]


def test_files_from_longer_than_a_block(inside: Path) -> None:
    wanted = [f"{number:050}.jpg" for number in range(4000)]
    for null, end in ((True, "\0"), (False, "\n")):
        (inside / "list").write_text("".join(name + end for name in wanted))
        assert names(read_list("list", null=null)) == wanted


def test_files_from_names_are_literal(inside: Path) -> None:
    make(inside, "f/a.jpg", "b.jpg")
    (inside / "list").write_bytes(b"*.jpg\nf\n-\ncaf\xe9.jpg\nhttp://example.org/a.jpg\n")
    found = list(read_list("list"))
    assert [source.kind for source in found] == ["file", "file", "file", "file", "url"]
    assert [os.fsencode(source.name) for source in found[:4]] == [
        *(b"*.jpg", b"f/a.jpg", b"-", b"caf\xe9.jpg"),
    ]


class Stdin:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_files_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b"a.jpg\nb.jpg\n"))
    assert names(read_list("-")) == ["a.jpg", "b.jpg"]
    monkeypatch.setattr(sys, "stdin", Stdin(b"a.jpg\0b.jpg\0"))
    assert names(read_list("-", null=True)) == ["a.jpg", "b.jpg"]


def test_files_from_is_read_as_it_is_written() -> None:
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as reader, open(write_end, "wb", buffering=0) as writer:
        writer.write(b"a.jpg\0b.jpg\0c")
        found = sources._listed(reader, True)
        assert next(found).name == "a.jpg"  # though the writer has not ended
        assert next(found).name == "b.jpg"


def test_list_that_cannot_be_read(tmp_path: Path) -> None:
    for name, reason in (("absent", "No such file or directory"), ("", "Is a directory")):
        with pytest.raises(UsageError, match=f"the list cannot be read: {reason}"):
            next(read_list(str(tmp_path / name)))


def test_stdin_is_one_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(PNG))
    (source,) = expand(["-"])
    assert (source.name, source.kind, source.read()) == ("-", "stdin", PNG)


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "absent.jpg", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(ImageError, match=f"^{reason}$"):
            Source(str(path)).read()
    with pytest.raises(ImageError, match=r"^file name too long$"):
        Source("x" * 5000).read()


def test_path_that_holds_nul() -> None:
    with pytest.raises(ImageError, match=r"^no file name: embedded null byte$"):
        Source("a\0b.jpg").read()


def test_heic_start() -> None:
    assert is_heic_start(b"\x00\x00\x00\x18ftypheic" + bytes(20))
    assert is_heic_start(b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic")
    assert not is_heic_start(b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif")
    assert not is_heic_start(b"\x00\x00\x00\x18ftypavif" + bytes(20))
    assert not is_heic_start(PNG)


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
    monkeypatch.setattr(sources, "_MAX_DOWNLOAD", len(PNG) - 1)
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
    with pytest.raises(ImageError, match=r"^not fetched: --offline"):
        Source(f"{server}/a.png", "url").read()
