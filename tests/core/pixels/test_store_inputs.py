"""INPUT in a store: what is taken, what is passed over, what cannot be listed."""

from __future__ import annotations

import logging

import pytest

from imgcls.core import stores
from imgcls.core.errors import UsageError
from imgcls.core.pixels.source import Source
from imgcls.core.pixels.sources import expand, expand_path
from imgcls.core.pixels.store_inputs import _matches, expand_store

pytest.importorskip("pyarrow")


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("a/*.jpg", "a/b.jpg", True),
        ("a/*.jpg", "a/b/c.jpg", False),
        ("a/**/*.jpg", "a/b/c.jpg", True),
        ("a/**/*.jpg", "a/c.jpg", True),
        ("a/?.[jp]*", "a/b.png", True),
        ("a/?", "a/b/c", False),
        ("a/**", "a/b", False),
    ],
)
def test_globs(pattern: str, name: str, matches: bool) -> None:
    assert _matches(pattern.split("/"), name.split("/")) is matches


def test_nothing_is_asked_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGCLS_OFFLINE", "1")
    (source,) = expand(["s3://bucket/photos"])
    assert source.reason == "not read: the network is forbidden (IMGCLS_OFFLINE)"


def test_a_name_from_a_list_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGCLS_OFFLINE", "0")
    assert list(expand_path("s3://bucket/a[1]")) == [Source("s3://bucket/a[1]", "store")]
    with pytest.raises(UsageError, match="has no bucket"):
        list(expand_store("gs://"))


@pytest.mark.slow
def test_what_is_taken(bucket: str, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("p/b.jpg", "p/a/z.PNG", "p/notes.txt", "p/.hidden.jpg", "p/_tmp/x.jpg", "q.jpg"):
        stores.write(f"{bucket}/{name}", b"x")
    root = f"{bucket}/p"
    below = [Source(f"{root}/{name}", "store", root=root) for name in ("a/z.PNG", "b.jpg")]
    with caplog.at_level(logging.INFO, "imgcls"):
        assert list(expand([f"{root}/"])) == below
    assert "passed over 1 objects that are not called as images are" in caplog.text
    assert list(expand([root])) == below
    assert [one.name for one in expand([bucket])][-1] == f"{bucket}/q.jpg"
    assert list(expand([f"{root}/*.jpg"])) == [Source(f"{root}/b.jpg", "store")]
    assert list(expand([f"{root}/notes.txt"])) == [Source(f"{root}/notes.txt", "store")]
    (missing,) = expand([f"{root}/*.gif"])
    assert (missing.kind, missing.reason) == ("missing", "no object matches")
    (missing,) = expand([f"{bucket}/none"])
    assert (missing.kind, missing.reason) == ("missing", "no such object")
    (missing,) = expand([f"{bucket[:5]}no-such-bucket-of-ours/"])
    assert missing.reason.startswith("cannot be listed: no such bucket")
    assert below[0].read() == b"x"
