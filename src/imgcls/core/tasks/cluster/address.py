"""Whether a Ray cluster answers at an address, and in words what is wrong where none does.

Ray itself waits for minutes where a port accepts connections and is no cluster's. All of its ports
speak gRPC, that is HTTP/2, whose server sends its settings at once, whoever it is for: whoever does
not is no cluster.
"""

from __future__ import annotations

import os
import socket

from imgcls.core.errors import ClusterError, one_line
from imgcls.core.offline import is_offline

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ANSWER_SECONDS = 10.0  # to connect, and then for the settings
# How a client of HTTP/2 begins: a fixed text, and settings, of which it has none.
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
_FRAME_HEADER = 9  # bytes
_KIND_AT, _SETTINGS = 3, 4


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine by its name."""
    return _host_and_port(address)[0] in _LOOPBACK


def check_answer(address: str) -> None:
    """Knock before Ray does, which would wait for long.

    Raises:
        ClusterError: nothing answers, or not as Ray does, or the network is forbidden.
    """
    host, port = _host_and_port(address)
    if not host:
        return
    if host not in _LOOPBACK and is_offline():
        raise ClusterError(f"{address}: the network is forbidden (IMGCLS_OFFLINE); use local")
    try:
        with socket.create_connection((host, port), _ANSWER_SECONDS) as connection:
            if not _is_encrypted() and not _speaks_grpc(connection):
                raise ClusterError(
                    f"{address}: something other than Ray answers; which port has the cluster?"
                )
    except TimeoutError as error:
        raise ClusterError(
            f"{address}: does not answer within {_ANSWER_SECONDS:.0f} s; is a Ray cluster running "
            "there, at this port?"
        ) from error
    except OSError as error:
        raise ClusterError(
            f"{address}: does not answer ({one_line(error.strerror or str(error)).lower()}); "
            "is a Ray cluster running there?"
        ) from error


def check_auto() -> None:
    """Knock at the cluster that Ray remembers for this machine, which may have ended.

    Raises:
        ClusterError: there is none, or it does not answer.
    """
    from ray._private import services

    try:
        address = services.canonicalize_bootstrap_address("auto")
    except Exception as error:  # a private function; Ray itself says what is wrong, if slowly
        raise unreachable("auto", error) from error
    if address is not None:
        try:
            check_answer(address)
        except ClusterError as error:
            raise unreachable("auto", error) from error


def unreachable(address: str, error: Exception) -> ClusterError:
    """Return in words why there is no connection to a cluster."""
    text = one_line(str(error))
    if "ersion mismatch" in text or "versions" in text.lower():
        return ClusterError(f"{address}: has another version of Ray or Python ({text})")
    if address == "local":
        return ClusterError(f"Ray cannot be started here ({text}); `verbose` shows more")
    if address == "auto":
        return ClusterError(
            "no Ray cluster was found on this machine; start one with ray start, or use "
            "`cluster` local"
        )
    return ClusterError(
        f"{address}: no Ray cluster answers; is it the right port (ray:// takes the one for "
        "clients, 10001 by default), and does it want a token (RAY_AUTH_MODE=token)?"
    )


def _host_and_port(address: str) -> tuple[str, int]:
    """Return the host and port of an address; "" and 0 for one that has none."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    return (host.strip("[]"), int(port)) if host else ("", 0)


def _is_encrypted() -> bool:
    """Whether Ray is told to use TLS, under which nothing can be read in passing."""
    return os.environ.get("RAY_USE_TLS", "").lower() in ("1", "true")


def _speaks_grpc(connection: socket.socket) -> bool:
    """Whether the other side begins as a server of HTTP/2 does; TimeoutError if it says nothing."""
    connection.sendall(_GREETING)
    with connection.makefile("rb") as answer:
        header = answer.read(_FRAME_HEADER)
    return len(header) == _FRAME_HEADER and header[_KIND_AT] == _SETTINGS
