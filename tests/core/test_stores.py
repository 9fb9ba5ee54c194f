"""Object stores, against a real server on loopback, and what is said when they refuse."""

from __future__ import annotations

import importlib.util
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from imgcls.core import stores
from imgcls.core.errors import UsageError
from imgcls.core.stores import Entry, StoreError
from tests.conftest import run_s3_server, s3_env


def test_what_a_store_is() -> None:
    assert [stores.is_store(text) for text in ("s3://b/a", "gs://b/a", "a", "file:///a")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_name_without_a_bucket() -> None:
    pytest.importorskip("pyarrow")
    stores.check_stores("s3://bucket")
    with pytest.raises(UsageError, match=r"^s3:///a\.jpg: has no bucket; write s3://BUCKET/NAME"):
        stores.check_stores("s3:///a.jpg")


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"need pyarrow; pip install 'imgcls\[cluster\]'"):
        stores.check_stores("s3://bucket")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "When listing objects under key '' in bucket 'b': AWS Error NO_SUCH_BUCKET during "
            "ListObjectsV2 operation: The specified bucket does not exist (Request ID: xyz)",
            "no such bucket: The specified bucket does not exist",
        ),
        (
            "When getting information for key 'x' in bucket 'b': AWS Error ACCESS_DENIED during "
            "HeadObject operation: No response body.",
            "access denied",
        ),
        (
            "[Errno 13] google::cloud::Status(PERMISSION_DENIED: Permanent error, with a last "
            "message of jane does not have storage.objects.get access. error_info={reason=x, "
            "metadata={http_status_code=403}}). Detail: [errno 13] Permission denied",
            "permission denied: jane does not have storage.objects.get access",
        ),
        (
            "google::cloud::Status(UNAVAILABLE: Retry policy exhausted, with a last message of "
            "Could not create a token. Learn more (at: x) error_info={reason=})",
            "unavailable: Could not create a token. Learn more (at: x)",
        ),
        ("google::cloud::Status(NOT_FOUND: it is gone). Detail: x", "not found: it is gone"),
        ("google::cloud::Status(NOT_FOUND: it is gone)", "not found: it is gone"),
        ("something else", "something else"),
    ],
)
def test_reasons(text: str, reason: str) -> None:
    assert stores._reason(text) == reason


@pytest.mark.slow
def test_objects_are_written_found_listed_read_and_removed(bucket: str) -> None:
    odd = f"{bucket}/a b/ü%20+.bin"
    stores.write(odd, b"abcdef")
    stores.write(f"{bucket}/a b/a.bin", b"")
    assert (stores.read(odd), stores.read(odd, 3)) == (b"abcdef", b"abc")
    assert stores.open_seekable(odd).read() == b"abcdef"
    assert stores.find(odd) == Entry(odd, is_folder=False, size=6)
    assert stores.find(f"{bucket}/a b/") == Entry(f"{bucket}/a b", is_folder=True, size=0)
    assert stores.find(f"{bucket}/none") is None
    assert [entry.uri for entry in stores.entries(bucket)] == [f"{bucket}/a b"]
    assert [entry.size for entry in stores.entries(f"{bucket}/a b")] == [0, 6]
    stores.remove(odd)
    stores.remove(odd)
    assert stores.find(odd) is None and stores.entries(f"{bucket}/none") == []
    with pytest.raises(StoreError, match=r"^no such object$") as caught:
        stores.read(odd)
    assert caught.value.missing


@pytest.mark.slow
def test_a_walk_goes_folder_by_folder(bucket: str) -> None:
    names = ["in/a/y/1.bin", "in/a/z", "in/a-b", "in/a.bin", "in/b/c"]  # "-" and "." before "/"
    for name in (*reversed(names), "in/_x/1", "in/b/_y", "inside"):
        stores.write(f"{bucket}/{name}", b"1")
    found = stores.walk(f"{bucket}/in/", lambda name: not name.startswith("_"))
    assert [entry.uri.removeprefix(f"{bucket}/") for entry in found] == names


@pytest.mark.slow
def test_what_is_forbidden_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with run_s3_server(INITIAL_NO_AUTH_ACTION_COUNT="0") as address:
        for name, value in s3_env(address).items():
            monkeypatch.setenv(name, value)
        stores._bucket_system.cache_clear()
        with pytest.raises(StoreError, match=r"^access denied$"):
            stores.read("s3://bucket/a.jpg")
        with pytest.raises(StoreError, match=r"^invalid access key id: The AWS Access Key Id"):
            stores.entries("s3://bucket")
        with pytest.raises(StoreError, match=r"^invalid access key id: "):
            stores.write("s3://bucket/a.jpg", b"")
    stores._bucket_system.cache_clear()


@pytest.mark.slow
def test_a_google_bucket_without_permission_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator asks for no rights, so what Google answers is served here."""
    pytest.importorskip("pyarrow._gcsfs")
    refusal = b'{"error": {"code": 403, "message": "jane may not.", "errors": [{"message": "x"}]}}'

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(403)
            self.send_header("Content-Length", str(len(refusal)))
            self.end_headers()
            self.wfile.write(refusal)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"127.0.0.1:{server.server_port}")
        stores._bucket_system.cache_clear()
        for ask in (stores.read, stores.entries, lambda uri: stores.write(uri, b"")):
            with pytest.raises(StoreError, match=r"^permission denied: jane may not$"):
                ask("gs://bucket/a.jpg")
        server.shutdown()
    stores._bucket_system.cache_clear()
