"""The cache of compiled models: verified, made once, private, cleared."""

from __future__ import annotations

import logging
import os
import shutil
import stat
from pathlib import Path

import pytest

from imgcls.core import cache
from imgcls.core.cache_clearing import Freed, clear_cache, compiled_lock
from imgcls.core.engines.compiled.compile import (
    CompiledModel,
    Unsupported,
    compiled_model,
    entry_folder,
)
from imgcls.core.engines.compiled.entries import facts_text, milliseconds, read_facts
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights


@pytest.fixture
def network() -> Network:
    spec = MODELS[DEFAULT_MODEL]
    return Network(DEFAULT_MODEL, spec, find_weights(DEFAULT_MODEL, spec))


@pytest.fixture
def compiled(network: Network) -> CompiledModel:
    """Return the default model, compiled once for all tests of a run."""
    compiled = compiled_model(network)
    assert isinstance(compiled, CompiledModel)
    return compiled


@pytest.fixture
def own_cache(compiled: CompiledModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache of the test's own that holds the compiled default model."""
    folder = tmp_path / "cache"
    copy = folder / "compiled" / compiled.folder.name
    shutil.copytree(compiled.folder, copy)
    monkeypatch.setenv("IMGCLS_CACHE", str(folder))
    return folder


def edit_facts(folder: Path, **changes: object) -> None:
    file = folder / "entry.json"
    file.write_bytes(facts_text(read_facts(file) | changes))


def test_entry_says_how_fast_it_is(compiled: CompiledModel, network: Network) -> None:
    facts = compiled.facts
    assert facts["spec"]["preprocessing"]["size"] == 224
    assert facts["precision"] == "float32"
    assert milliseconds(DEFAULT_MODEL, network.spec)["float32"] == facts["milliseconds"] > 0


@pytest.mark.posix
def test_nobody_else_may_look(compiled: CompiledModel) -> None:
    folders = [compiled.folder, *compiled.folder.parents[:2]]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700] * 3


@pytest.mark.posix
def test_open_folders_of_the_cache_are_closed(own_cache: Path) -> None:
    (own_cache / "compiled").chmod(0o777)
    cache.cache_part("compiled")
    assert stat.S_IMODE((own_cache / "compiled").stat().st_mode) == 0o700


def damage(folder: Path) -> str:
    model = folder / "model.tflite"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    return "is damaged"


def cut(folder: Path) -> str:
    (folder / "entry.json").write_text('{"format"')
    return "is damaged"


def lose(folder: Path) -> str:
    (folder / "model.tflite").unlink()
    return "is damaged"


def make_foreign(folder: Path) -> str:
    edit_facts(folder, weights_sha256="0" * 64)
    return "is of another weights sha256"


def make_old(folder: Path) -> str:
    edit_facts(folder, imgcls="0.0.1")
    return "is of another imgcls"


@pytest.mark.parametrize("spoil", [damage, cut, lose, make_foreign, make_old])
def test_what_cannot_be_trusted_is_not_used(
    own_cache: Path,
    network: Network,
    compiled: CompiledModel,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    spoil: object,
) -> None:
    from imgcls.core.engines.compiled import compile

    def copy(network: Network, precision: str, folder: Path) -> None:
        shutil.copytree(compiled.folder, folder, dirs_exist_ok=True)

    # In place of the converter, which takes seconds; that it works is tested elsewhere.
    monkeypatch.setattr(compile, "_run_child", copy)
    folder = entry_folder(network)
    reason = spoil(folder)  # type: ignore[operator]
    with caplog.at_level(logging.WARNING, "imgcls"):
        made = compiled_model(network)
    assert isinstance(made, CompiledModel)
    assert made.path.read_bytes() == compiled.path.read_bytes()
    assert caplog.messages == [f"{folder}: the compiled model {reason}; it is made anew"]
    caplog.clear()
    assert compiled_model(network) == made
    assert caplog.messages == []


def test_what_an_older_version_compiled_is_mentioned(
    own_cache: Path,
    network: Network,
    compiled: CompiledModel,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from imgcls.core.engines.compiled import compile

    monkeypatch.setattr(
        compile,
        "_run_child",
        lambda network, precision, folder: shutil.copytree(
            compiled.folder, folder, dirs_exist_ok=True
        ),
    )
    folder = entry_folder(network)
    edit_facts(folder, imgcls="0.0.1")
    folder.rename(folder.with_name("efficientnet-lite0-float32-0123456789abcdef"))
    with caplog.at_level(logging.INFO, "imgcls"):
        compiled_model(network)
    assert caplog.messages == [
        "efficientnet-lite0: it was compiled by imgcls 0.0.1; compiling it anew for this version, "
        "once"
    ]


def test_cache_that_can_only_be_read_is_used(
    own_cache: Path,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
) -> None:
    """A container's image may hold compiled models on a disk that cannot be written."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    before = sorted(own_cache.rglob("*"))
    compiled = compiled_model(network)
    assert isinstance(compiled, CompiledModel)
    assert compiled.folder.is_relative_to(own_cache)
    assert sorted(own_cache.rglob("*")) == before
    assert list(recwarn) == []


def test_clear_cache_frees_every_version_and_nothing_else(own_cache: Path) -> None:
    old = own_cache / "compiled" / "vgg16-float32-0123456789abcdef"
    old.mkdir()
    (old / "model.tflite").write_bytes(bytes(1000))
    (own_cache / "compiled" / ".vgg16-float32-0123456789abcdef.4711.tmp").mkdir()
    (own_cache / "compiled" / f".{old.name}.lock").touch()
    (own_cache / "hashes").mkdir()
    (own_cache / "hashes" / ("0" * 64)).write_bytes(bytes(66))
    (own_cache / "holiday.jpg").touch()
    freed = {item.name.rpartition("-")[0] or item.name: item for item in clear_cache()}
    assert freed["compiled/vgg16-float32"] == Freed(f"compiled/{old.name}", 1000)
    assert freed["hashes/"] == Freed("hashes/", 66)
    assert freed["compiled/efficientnet-lite0-float32"].size > 17 * 2**20
    left = sorted(path.relative_to(own_cache).as_posix() for path in own_cache.rglob("*"))
    locks = [
        "clear-cache.lock",
        "compiled-efficientnet-lite0-float32.lock",
        "compiled-vgg16-float32.lock",
    ]
    assert left == ["compiled", "hashes", "holiday.jpg", "locks", *(f"locks/{x}" for x in locks)]


def test_clear_cache_leaves_what_is_being_made(own_cache: Path) -> None:
    (making,) = (own_cache / "compiled").iterdir()
    with cache.cache_lock(compiled_lock(making.name)):
        assert list(clear_cache()) == []
    assert making.is_dir()


def test_clear_cache_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGCLS_CACHE", str(tmp_path / "never made"))
    assert list(clear_cache()) == []
    assert not (tmp_path / "never made").exists()


def test_model_too_large_for_this_machine_is_not_compiled(
    own_cache: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sysconf", lambda _: 2**14)  # 256 MB
    assert isinstance(compiled_model(network), CompiledModel)  # it is in the cache
    assert compiled_model(network, anew=True) == Unsupported(
        "compiling it takes about 0 GB of memory"
    )
