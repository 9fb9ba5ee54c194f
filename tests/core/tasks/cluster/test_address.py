"""What is said where no cluster answers. No Ray is started here, nor imported."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from imgcls.core.errors import ClusterError
from imgcls.core.tasks.cluster import address
from imgcls.core.tasks.cluster.address import check_answer, is_loopback, unreachable

# What Ray's own servers were seen to send first: settings, of 24 bytes.
RAYS_FIRST = b"\x00\x00\x18\x04\x00\x00\x00\x00\x00" + bytes(24)


@contextlib.contextmanager
def server(answer: bytes | None) -> Iterator[str]:
    """Serve one connection: read its greeting, answer, close; None for one that is never served."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer or b"")

        if answer is not None:
            threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_an_address_where_nothing_listens() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        name = f"ray://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ClusterError, match=f"^{name}: does not answer .connection refused"):
            check_answer(name)
    check_answer("local")


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_cluster_answers(scheme: str) -> None:
    with server(RAYS_FIRST) as name:
        check_answer(f"{scheme}{name}")


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.0 400 Bad request syntax\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"\0\0"]
)
def test_what_is_no_ray(answer: bytes) -> None:
    with (
        server(answer) as name,
        pytest.raises(ClusterError, match=f"^{name}: something other than Ray answers; which port"),
    ):
        check_answer(name)


def test_a_port_that_listens_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray waits for 45 s there, or for ever."""
    assert address._ANSWER_SECONDS <= 15
    monkeypatch.setattr(address, "_ANSWER_SECONDS", 0.05)
    with (
        server(None) as name,
        pytest.raises(ClusterError, match=f"^{name}: does not answer within .* at this port"),
    ):
        check_answer(name)


def test_under_tls_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USE_TLS", "1")
    with server(None) as name:
        check_answer(name)


def test_the_network_may_be_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGCLS_OFFLINE", "1")
    with pytest.raises(ClusterError, match=r"^10\.0\.0\.1:1: the network is forbidden"):
        check_answer("10.0.0.1:1")


def test_loopback() -> None:
    assert is_loopback("ray://[::1]:10001") and is_loopback("localhost:6379")
    assert not is_loopback("ray://10.0.0.1:10001") and not is_loopback("auto")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("auto", "Could not find any running Ray instance", "no Ray cluster was found on this"),
        ("h:1", "Version mismatch: The cluster was started with Ray: 2.9", "has another version"),
        ("local", "no space left", r"Ray cannot be started here \(no space left\)"),
        (
            "h:1",
            "timed out",
            "h:1: no Ray cluster answers; .* does it want a token",
        ),
    ],
)
def test_a_connection_that_fails(name: str, text: str, said: str) -> None:
    error = unreachable(name, RuntimeError(text))
    with pytest.raises(ClusterError, match=said):
        raise error
