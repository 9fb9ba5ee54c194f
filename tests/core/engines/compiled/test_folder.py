"""The cache of compiled models: verified, made once, private, cleared."""

from __future__ import annotations

import errno
import logging
import os
import random
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imgcls.core import cache
from imgcls.core.cache_clearing import Freed, clear_cache, compiled_lock
from imgcls.core.engines.compiled.compile import (
    CompiledModel,
    Unsupported,
    compiled_folder,
    compiled_model,
    whole_kernel,
)
from imgcls.core.engines.compiled.folder import (
    all_facts,
    compiled_forms,
    facts_text,
    milliseconds,
    read_facts,
)
from imgcls.core.engines.opening import open_engine
from imgcls.core.files import remove
from imgcls.core.models.table import DEFAULT_MODEL, MODELS
from imgcls.core.models.weights import Network, find_weights
from imgcls.core.parallel import map_ordered


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
    file = folder / "facts.json"
    file.write_bytes(facts_text(read_facts(file) | changes))


def test_it_says_how_fast_it_is(compiled: CompiledModel, network: Network) -> None:
    facts = compiled.facts
    assert facts["spec"]["preprocessing"]["size"] == 224
    assert facts["precision"] == "float32"
    forms = compiled_forms(all_facts(), DEFAULT_MODEL, network.spec)
    assert milliseconds(forms)["float32"] == facts["milliseconds"] > 0


def test_how_fast_it_is_elsewhere_says_nothing_here(
    own_cache: Path, compiled: CompiledModel, network: Network
) -> None:
    edit_facts(own_cache / "compiled" / compiled.folder.name, processor="another")
    assert milliseconds(compiled_forms(all_facts(), DEFAULT_MODEL, network.spec)) == {}


@pytest.mark.posix
def test_a_lack_of_descriptors_is_no_damage(own_cache: Path, network: Network) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.close(first_free := os.dup(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            compiled_model(network)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert isinstance(compiled_model(network), CompiledModel)


def test_a_file_system_that_maps_no_files_serves(
    own_cache: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    monkeypatch.setattr("mmap.mmap", refuse)
    made = own_cache / "compiled" / compiled_folder(network).name / "model.tflite"
    before = made.stat().st_mtime_ns
    assert isinstance(compiled_model(network), CompiledModel)
    assert made.stat().st_mtime_ns == before


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
    (folder / "facts.json").write_text('{"format"')
    return "is damaged"


def empty(folder: Path) -> str:
    (folder / "model.tflite").write_bytes(b"")
    return "is damaged"


def lose(folder: Path) -> str:
    (folder / "model.tflite").unlink()
    return "is damaged"


def make_foreign(folder: Path) -> str:
    edit_facts(folder, weights_sha256="0" * 64)
    return "was made by another version or from other weights (weights sha256)"


def make_old(folder: Path) -> str:
    edit_facts(folder, imgcls="0.0.1")
    return "was made by another version or from other weights (imgcls)"


@pytest.fixture
def copying(compiled: CompiledModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy what was compiled, in place of the converter, which takes seconds."""
    from imgcls.core.engines.compiled import compile

    def copy(network: Network, precision: str, folder: Path) -> None:
        shutil.copytree(compiled.folder, folder, dirs_exist_ok=True)

    monkeypatch.setattr(compile, "_run_child", copy)


@pytest.mark.usefixtures("copying")
@pytest.mark.parametrize("spoil", [damage, cut, empty, lose, make_foreign, make_old])
def test_what_cannot_be_trusted_is_not_used(
    own_cache: Path,
    network: Network,
    compiled: CompiledModel,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], str],
) -> None:
    folder = compiled_folder(network)
    reason = spoil(folder)
    with caplog.at_level(logging.WARNING, "imgcls"):
        made = compiled_model(network)
    assert isinstance(made, CompiledModel)
    assert made.path.read_bytes() == compiled.path.read_bytes()
    assert caplog.messages == [f"{folder}: the compiled model {reason}; it is made anew"]
    caplog.clear()
    assert compiled_model(network) == made
    assert caplog.messages == []


def make_file(path: Path) -> None:
    path.write_bytes(b"x")


def make_folder(path: Path) -> None:
    (path / "within").mkdir(parents=True)


@pytest.mark.posix
@pytest.mark.usefixtures("copying")
@pytest.mark.parametrize("place", ["", "model.tflite", "facts.json", "kernel.npy"])
@pytest.mark.parametrize("make", [os.mkfifo, make_folder, make_file])
def test_what_is_none_of_ours_is_replaced_with_one_warning(
    own_cache: Path,
    network: Network,
    place: str,
    make: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = compiled_folder(network)
    remove(folder / place)
    make(folder / place)
    made = compiled_model(network)
    assert isinstance(made, CompiledModel)
    assert whole_kernel(network, made).shape == (1280, 1000)
    what = "has a damaged kernel" if place == "kernel.npy" else "is damaged"
    assert caplog.messages == [f"{folder}: the compiled model {what}; it is made anew"]
    again = compiled_model(network)
    assert isinstance(again, CompiledModel)
    assert again.kernel.shape == (1280, 1000)
    assert len(caplog.messages) == 1


@pytest.mark.usefixtures("copying")
@pytest.mark.parametrize("name", ["model.tflite", "facts.json", "kernel.npy"])
def test_no_flipped_bit_is_used(
    own_cache: Path, network: Network, compiled: CompiledModel, name: str
) -> None:
    """A sample of bits, among them the first and the last."""
    file = compiled_folder(network) / name
    whole = file.read_bytes()
    for bit in {0, 8 * len(whole) - 1, *random.Random(0).sample(range(8 * len(whole)), 6)}:
        with open(file, "r+b") as opened:
            opened.seek(bit // 8)
            opened.write(bytes([whole[bit // 8] ^ 1 << bit % 8]))
        made = compiled_model(network)
        assert isinstance(made, CompiledModel)
        assert made.facts == compiled.facts
        np.testing.assert_array_equal(whole_kernel(network, made), compiled.kernel)
        assert file.read_bytes() == whole


@pytest.mark.usefixtures("copying")
def test_what_killed_processes_left_goes_when_a_model_is_made(
    own_cache: Path, network: Network
) -> None:
    folder = compiled_folder(network)
    other = own_cache / "compiled" / ".vgg16-float32-0123456789abcdef.4711.tmp"
    held = own_cache / "compiled" / ".vgg19-float32-0123456789abcdef.4711.tmp"
    for left in (folder.with_name(f".{folder.name}.4711.tmp"), other, held):
        make_folder(left)
    with cache.cache_lock(compiled_lock(held.name)):
        compiled_model(network, anew=True)
    assert sorted(path.name for path in (own_cache / "compiled").iterdir()) == [
        held.name,
        folder.name,
    ]


@pytest.mark.linux
def test_a_model_that_is_open_outlives_the_clearing_of_the_cache(
    own_cache: Path, network: Network
) -> None:
    compiled_name = compiled_folder(network).name
    engine = open_engine(network, "litert", threads=2)
    names = [item.name for item in clear_cache()]
    assert names[0] == f"compiled/{compiled_name}"
    batch = np.zeros((4, 224, 224, 3), np.float32)
    found = map_ordered(
        lambda images: [engine.run(image[np.newaxis], ("logits",))[0] for image in images],
        batch,
        workers=2,
    )
    assert len(list(found)) == 4
    assert engine.classifier_kernel().shape == (1280, 1000)


@pytest.mark.usefixtures("copying")
def test_what_an_older_version_compiled_is_mentioned(
    own_cache: Path, network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    folder = compiled_folder(network)
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
