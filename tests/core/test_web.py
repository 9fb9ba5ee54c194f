"""Downloads from servers that are slow, broken or hostile."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from imgcls.core.web import WebError, open_url

Server = Callable[[Callable[[socket.socket], None]], str]

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def serve() -> Iterator[Server]:
    """Start servers that answer each connection as a function says; return their address."""
    with contextlib.ExitStack() as stack:

        def start(answer: Callable[[socket.socket], None]) -> str:
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def accept() -> None:
                while True:
                    try:
                        connection, _ = listening.accept()
                    except OSError:
                        return
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        answer(connection)
                        connection.shutdown(socket.SHUT_WR)

            threading.Thread(target=accept, daemon=True).start()
            stack.callback(listening.shutdown, socket.SHUT_RDWR)
            return f"http://127.0.0.1:{listening.getsockname()[1]}/a.png"

        yield start


def fetch(url: str, seconds: float = 20.0, silence: float = 10.0) -> bytes:
    with open_url(url, seconds=seconds, silence=silence) as answer:
        return b"".join(answer.blocks())


def test_content_comes_whole(serve: Server) -> None:
    content = bytes(range(256)) * 1000
    url = serve(lambda s: s.sendall(HEAD + b"Content-Length: 256000\r\n\r\n" + content))
    with open_url(url) as answer:
        assert (answer.status, answer.length) == (200, 256000)
        assert b"".join(answer.blocks()) == content


def test_no_announced_length(serve: Server) -> None:
    url = serve(lambda s: s.sendall(HEAD + b"\r\nabc"))
    with open_url(url) as answer:
        assert answer.length is None
        assert list(answer.blocks()) == [b"abc"]


def forever(start: bytes, again: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(again)

    return answer


def drop_by_drop(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
    stop = threading.Event()
    while not stop.wait(0.02):
        connection.sendall(b"x")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(drop_by_drop, id="a byte at a time"),
        pytest.param(forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), id="100 Continue"),
        pytest.param(
            forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
            id="chunks of a byte",
        ),
        pytest.param(
            forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 1000),
            id="trailers",
        ),
    ],
)
def test_a_whole_download_has_a_deadline(
    serve: Server, answer: Callable[[socket.socket], None]
) -> None:
    url = serve(answer)
    start = time.monotonic()
    with pytest.raises(WebError, match=r"^the server is too slow$"):
        fetch(url, seconds=0.3)
    assert time.monotonic() - start < 5


def test_a_silent_server_is_given_up_before_the_deadline(serve: Server) -> None:
    gone = threading.Event()
    url = serve(lambda s: bool(gone.wait(20)) or None)
    with pytest.raises(WebError, match=r"^the server is silent$"):
        fetch(url, silence=0.1)
    gone.set()


def test_cut_off(serve: Server) -> None:
    for head in (b"Content-Length: 9\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc"):
        url = serve(lambda s, head=head: s.sendall(HEAD + head))  # type: ignore[misc]
        with pytest.raises(WebError, match=r"^the connection was cut$"):
            fetch(url)


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode()


def test_redirect(serve: Server) -> None:
    target = serve(lambda s: s.sendall(HEAD + b"\r\nabc"))
    assert fetch(serve(lambda s: s.sendall(redirect(target)))) == b"abc"


def test_the_body_of_a_redirect_is_not_read(serve: Server) -> None:
    target = serve(lambda s: s.sendall(HEAD + b"\r\nabc"))
    assert fetch(serve(forever(redirect(target), b"x" * 1000))) == b"abc"


@pytest.mark.parametrize(
    "location", ["ftp://127.0.0.1/a.png", "file:///etc/hostname", "data:,abc", "gopher://x/"]
)
def test_redirects_go_to_http_and_https_only(serve: Server, location: str) -> None:
    with pytest.raises(WebError, match=r"^(unknown url type|the server answers 302)"):
        fetch(serve(lambda s: s.sendall(redirect(location))))


def test_redirects_in_a_circle_end(serve: Server) -> None:
    with pytest.raises(WebError, match=r"^the server answers 302 .*infinite loop"):
        fetch(serve(lambda s: s.sendall(redirect("/a.png"))))


def test_what_a_server_says_is_one_line(serve: Server) -> None:
    url = serve(lambda s: s.sendall(b"HTTP/1.1 404 " + b"\x1b[2J\tno " * 100 + b"\r\n\r\n"))
    with pytest.raises(WebError) as caught:
        fetch(url)
    assert caught.value.status == 404
    assert str(caught.value).startswith("the server answers 404 [2J no [2J no")
    assert len(str(caught.value)) == 200
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "file:///etc/hostname", "http://", "x"])
def test_other_addresses_are_not_opened(url: str) -> None:
    with pytest.raises(WebError):
        fetch(url)
