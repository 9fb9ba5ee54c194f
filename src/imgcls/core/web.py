"""One answer of a web server: http or https, bounded in time, errors as one line."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from imgcls.core.errors import one_line
from imgcls.core.version import __version__

_BLOCK = 2**16  # bytes


class WebError(Exception):
    """A download that failed; its text is the reason, one line of printable characters.

    Attributes:
        status: what the server answered, e.g. 404; None if it was something else.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(one_line(reason))
        self.status = status


@dataclass(frozen=True)
class Answer:
    """What a server sends.

    Attributes:
        status: 200, or 206 for a part.
        length: how many bytes it announces; None if it does not.
    """

    status: int
    length: int | None
    _response: http.client.HTTPResponse

    def blocks(self) -> Iterator[bytes]:
        """Yield the content as it comes, at most 64 KB at once.

        Raises:
            WebError: it does not come whole, or not in time.
        """
        with _failures():
            while block := self._response.read(_BLOCK):
                yield block
            if self._response.length:  # announced and not sent
                raise WebError("the connection was cut")


@contextlib.contextmanager
def open_url(
    url: str, *, seconds: float = 60.0, silence: float = 30.0, headers: Mapping[str, str] = {}
) -> Iterator[Answer]:
    """Ask for a URL, following redirects to http and https only.

    Args:
        url: an http or https address.
        seconds: how long all of it may take, from the connection to the last byte.
        silence: how long the server may send nothing, in seconds.
        headers: to be sent, besides the User-Agent.

    Raises:
        WebError: the server cannot be reached, is too slow, or answers with an error.
    """
    deadline = _Deadline(time.monotonic() + seconds, silence)
    opener = urllib.request.OpenerDirector()
    # Not urllib's own selection, which reads ftp, file and data addresses too.
    for handler in (
        urllib.request.ProxyHandler(),
        _Http(deadline),
        _Https(deadline),
        _Redirects(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    with contextlib.ExitStack() as stack:
        with _failures():
            request = urllib.request.Request(
                url, headers={"User-Agent": f"imgcls/{__version__}", **headers}
            )
            response = stack.enter_context(opener.open(request, timeout=deadline.left()))
        announced = response.headers.get("Content-Length", "")
        length = int(announced) if announced.isascii() and announced.isdigit() else None
        yield Answer(response.status, length, response)


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Turn what the libraries raise into WebError."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise WebError(f"the server answers {error.code} {error.reason}", error.code) from error
    except http.client.IncompleteRead as error:
        raise WebError("the connection was cut") from error
    except TimeoutError as error:
        raise WebError(str(error) if isinstance(error, _TooSlow) else _SILENT) from error
    except urllib.error.URLError as error:
        cause = error.reason
        if isinstance(cause, TimeoutError):
            raise WebError(str(cause) if isinstance(cause, _TooSlow) else _SILENT) from error
        strerror = cause.strerror if isinstance(cause, OSError) else None
        raise WebError(strerror or str(cause) or type(cause).__name__) from error
    except OSError as error:
        raise WebError(error.strerror or str(error) or type(error).__name__) from error
    except (http.client.HTTPException, ValueError) as error:
        raise WebError(str(error) or type(error).__name__) from error


_SILENT = "the server is silent"


class _TooSlow(TimeoutError):
    """The deadline of a whole download has come."""


@dataclass(frozen=True)
class _Deadline:
    at: float  # of time.monotonic()
    silence: float  # seconds

    def left(self) -> float:
        """Return how long the next step may take, in seconds."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise _TooSlow("the server is too slow")
        return min(left, self.silence)


class _TimedReader(io.RawIOBase):
    """A socket as a file, each read of which ends by the deadline.

    A socket's own timeout begins anew with each byte, so a server that sends one a second, or
    one "100 Continue" after the other, would never be too slow.
    """

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)  # keeps the socket open as long as itself
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline.left()
        self._sock.settimeout(left)
        try:
            return self._sock.recv_into(buffer)
        except TimeoutError:
            self._deadline.left()  # says so if it was the deadline and not the silence
            raise

    def close(self) -> None:
        self._file.close()
        super().close()


@dataclass(frozen=True)
class _TimedSocket:
    """As much of a socket as a response asks for."""

    sock: socket.socket
    deadline: _Deadline

    def makefile(self, mode: str) -> IO[bytes]:
        return io.BufferedReader(_TimedReader(self.sock, self.deadline))


def _timed(kind: type[http.client.HTTPConnection], deadline: _Deadline) -> Any:
    """Return a class of connections whose answers have a deadline."""

    def response(sock: socket.socket, *args: Any, **options: Any) -> http.client.HTTPResponse:
        timed: Any = _TimedSocket(sock, deadline)
        return http.client.HTTPResponse(timed, *args, **options)

    def make(host: str, **options: Any) -> http.client.HTTPConnection:
        connection: Any = kind(host, **(options | {"timeout": deadline.left()}))
        connection.response_class = response
        return connection  # type: ignore[no-any-return]

    return make


class _Http(urllib.request.HTTPHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._connection = _timed(http.client.HTTPConnection, deadline)

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._connection = _timed(http.client.HTTPSConnection, deadline)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, request)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """urllib's own would read the whole body of a redirect, however long."""

    def http_error_302(self, request: Any, file: Any, code: int, message: Any, headers: Any) -> Any:
        file.close()
        return super().http_error_302(request, io.BytesIO(), code, message, headers)

    http_error_301 = http_error_303 = http_error_302  # type: ignore[assignment]
    http_error_307 = http_error_308 = http_error_302  # type: ignore[assignment]
