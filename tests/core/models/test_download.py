"""Downloads against a server on loopback, in every way that they fail."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from imgcls.core import progress
from imgcls.core.errors import OutputError, WeightsError
from imgcls.core.models import download
from imgcls.core.models.download import fetch_weights, is_published
from imgcls.core.models.spec import PublishedWeights

# More than two blocks of a megabyte, and not a whole number of them.
CONTENT = b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 10_000
MD5 = hashlib.md5(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
CUT = 1_500_000  # bytes before a cut

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """Gives each request the next answer, and keeps the Range headers that it got."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.ranges: list[str | None] = []
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.ranges.append(self.headers["Range"])
                with contextlib.suppress(ConnectionError):
                    outer.answers.pop(0)(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/weights.h5"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.http.shutdown()
    thread.join()
    server.http.server_close()


def whole(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(CONTENT)))
    request.end_headers()
    request.wfile.write(CONTENT)


def cut(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(CONTENT)))
    request.end_headers()
    request.wfile.write(CONTENT[:CUT])


def rest(request: BaseHTTPRequestHandler) -> None:
    start = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    request.send_response(206)
    request.send_header("Content-Length", str(len(CONTENT) - start))
    request.end_headers()
    request.wfile.write(CONTENT[start:])


def nothing_more(request: BaseHTTPRequestHandler) -> None:
    request.send_error(416)


def other_content(request: BaseHTTPRequestHandler) -> None:
    page = b"<html>Please log in to the network</html>"
    request.send_response(200)
    request.send_header("Content-Length", str(len(page)))
    request.end_headers()
    request.wfile.write(page)


def not_found(request: BaseHTTPRequestHandler) -> None:
    request.send_error(404)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models" / "weights.h5"


def published(checksum: str = MD5) -> PublishedWeights:
    return PublishedWeights("http://127.0.0.1:9/never-asked.h5", checksum, 3)


def fetch(server: Server, path: Path, checksum: str = MD5, timeout: float = 10.0) -> None:
    fetch_weights("vgg16", published(checksum), path, url=server.url, timeout=timeout)


@pytest.mark.parametrize("checksum", [MD5, SHA256, ""])
def test_weights_arrive_whole_and_alone(server: Server, path: Path, checksum: str) -> None:
    server.answers = [whole]
    fetch(server, path, checksum)
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert server.ranges == [None]


def test_what_is_there_is_not_fetched_again(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    fetch(server, path)
    assert server.ranges == []


def test_damaged_file_is_replaced(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(CONTENT[:-1])
    server.answers = [whole]
    fetch(server, path)
    assert path.read_bytes() == CONTENT


def test_cut_connection_leaves_no_file_and_goes_on(server: Server, path: Path) -> None:
    server.answers = [cut, rest]
    with pytest.raises(WeightsError, match=r"the connection was cut.*by hand as .*weights\.h5"):
        fetch(server, path)
    assert not path.exists()
    fetch(server, path)
    assert server.ranges == [None, f"bytes={CUT}-"]
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


def test_server_without_ranges_starts_anew(server: Server, path: Path) -> None:
    server.answers = [cut, whole]
    with pytest.raises(WeightsError):
        fetch(server, path)
    fetch(server, path)
    assert path.read_bytes() == CONTENT


def test_part_that_is_complete_is_taken(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.with_name(".weights.h5.part").write_bytes(CONTENT)
    server.answers = [nothing_more]
    fetch(server, path)
    assert list(path.parent.iterdir()) == [path]


def test_without_a_checksum_nothing_is_pieced_together(server: Server, path: Path) -> None:
    server.answers = [cut, whole]
    with pytest.raises(WeightsError, match="cut"):
        fetch(server, path, checksum="")
    fetch(server, path, checksum="")
    assert server.ranges == [None, None]


@pytest.mark.parametrize(
    ("checksum", "reason"), [(MD5, "checksum is wrong"), ("", "is no HDF5 file")]
)
def test_other_content_is_thrown_away(
    server: Server, path: Path, checksum: str, reason: str
) -> None:
    server.answers = [other_content]
    with pytest.raises(WeightsError, match=reason):
        fetch(server, path, checksum)
    assert list(path.parent.iterdir()) == []


def test_wrong_content_leaves_the_file_that_was_there(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"of the user")
    server.answers = [other_content]
    with pytest.raises(WeightsError):
        fetch(server, path)
    assert path.read_bytes() == b"of the user"


def test_404_names_address_and_place(server: Server, path: Path) -> None:
    server.answers = [not_found]
    with pytest.raises(WeightsError) as caught:
        fetch(server, path)
    assert str(caught.value) == (
        "vgg16: its weights cannot be fetched (the server answers 404 Not Found); try again with "
        f"imgcls models fetch vgg16, or save {server.url} (3 MB) by hand as {path}"
    )
    assert list(path.parent.iterdir()) == []


def test_silent_server(server: Server, path: Path) -> None:
    def silent(request: BaseHTTPRequestHandler) -> None:
        server.released.wait(30)

    server.answers = [silent]
    with pytest.raises(WeightsError, match="the server is silent"):
        fetch(server, path, timeout=0.2)
    assert not path.exists()


def test_server_that_falls_silent(server: Server, path: Path) -> None:
    def half(request: BaseHTTPRequestHandler) -> None:
        cut(request)
        request.wfile.flush()
        server.released.wait(30)

    server.answers = [half]
    with pytest.raises(WeightsError, match="the server is silent"):
        fetch(server, path, timeout=0.2)
    assert not path.exists()


def test_no_route(path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/weights.h5"
        with pytest.raises(WeightsError, match=r"cannot be fetched .Connection refused"):
            fetch_weights("vgg16", published(), path, url=url)
    assert not path.exists()


def test_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        fetch(server, tmp_path / "file" / "weights.h5")


def test_eight_at_once_fetch_once(server: Server, path: Path) -> None:
    server.answers = [whole]
    threads = [threading.Thread(target=fetch, args=(server, path)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.ranges == [None]
    assert path.read_bytes() == CONTENT


def test_progress_counts_megabytes(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def show(
        items: Iterator[bytes], unit: str, total: int | None = None, **how: Any
    ) -> Iterator[bytes]:
        seen.extend([unit, total])
        for item in items:
            seen.append(len(item))
            yield item

    server.answers = [whole]
    monkeypatch.setattr(progress, "_shows", [show])
    fetch(server, path)
    assert seen == ["MB", 3, 2**20, 2**20, len(CONTENT) - 2 * 2**20]


def test_is_published(tmp_path: Path) -> None:
    file = tmp_path / "weights.h5"
    assert not is_published(file, published())
    file.write_bytes(CONTENT)
    assert is_published(file, published(SHA256))
    assert not is_published(file, published("0" * 32))


@pytest.mark.parametrize("announced", [True, False])
def test_more_than_was_published_is_not_received(
    server: Server, path: Path, announced: bool
) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if announced:
            request.send_header("Content-Length", str(10**9))
        request.end_headers()
        for _ in range(1000):
            request.wfile.write(bytes(2**20))

    server.answers = [endless]
    with pytest.raises(WeightsError, match="more comes than was published"):
        fetch(server, path)
    assert sum(file.stat().st_size for file in path.parent.iterdir()) <= 6 * 2**20


def test_drip_ends_by_the_deadline(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not server.released.wait(0.05):
            request.wfile.write(b"x")

    monkeypatch.setattr(download, "_LEAST_SECONDS", 0.5)
    monkeypatch.setattr(download, "_LEAST_RATE", 1e6)
    server.answers = [drip]
    with pytest.raises(WeightsError, match="the server is too slow"):
        fetch(server, path)


def test_redirect_elsewhere_is_not_followed(server: Server, path: Path) -> None:
    def elsewhere(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", "ftp://127.0.0.1/weights.h5")
        request.end_headers()

    server.answers = [elsewhere]
    with pytest.raises(WeightsError, match="cannot be fetched"):
        fetch(server, path)
