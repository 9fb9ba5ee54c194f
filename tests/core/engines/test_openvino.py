from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

import imgcls
from imgcls import load_model
from imgcls.core.arrays import OUTPUTS
from imgcls.core.pixels.sources import expand
from imgcls.core.processor import usable_cores
from tests.conftest import load_batch

Imgcls = Callable[..., "CompletedProcess[str]"]


def test_every_output_is_that_of_litert(samples: Path) -> None:
    pytest.importorskip("openvino")
    litert, openvino = load_model(engine="litert"), load_model(engine="openvino")
    assert (litert.engine.name, openvino.engine.name) == ("litert", "openvino")
    batch = load_batch(list(expand([str(samples)])), litert.preprocessing)
    pairs = zip(litert.engine.run(batch, OUTPUTS), openvino.engine.run(batch, OUTPUTS), strict=True)
    for ours, theirs in pairs:
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(theirs, ours, atol=1e-3)
    np.testing.assert_allclose(openvino.scores(batch), litert.scores(batch), atol=1e-5)


# Threads that meet in the binding's first use; they take turns so often that they always do.
_MEET = """
import sys, threading
import numpy as np
import imgcls
from imgcls import load_model
model = load_model(engine="openvino", threads=8)
image = np.zeros((1, 224, 224, 3), np.float32)
together = threading.Barrier(8)
sys.setswitchinterval(5e-5)
def run():
    together.wait()
    model.logits(image)
for thread in [threading.Thread(target=run) for _ in range(8)]:
    thread.start()
"""


def test_the_first_images_of_several_threads_do_not_wait_for_ever() -> None:
    pytest.importorskip("openvino")
    subprocess.run([sys.executable, "-c", _MEET], check=True, timeout=60)


def test_one_call_more_than_streams_is_worth_making(samples: Path) -> None:
    pytest.importorskip("openvino")
    model = load_model(engine="openvino", threads=2)
    assert model.engine.parallel == 3
    photos = [str(samples / "cat.jpg")] * 20
    scores = {record.predictions[0].score for record in imgcls.classify(photos, model)}
    assert len(scores) == 1


@pytest.mark.linux
@pytest.mark.skipif(usable_cores() < 2, reason="needs two cores")
def test_it_is_bound_to_no_core(samples: Path) -> None:
    pytest.importorskip("openvino")
    model = load_model(engine="openvino", threads=1)
    batch = load_batch(list(expand([str(samples)])), model.preprocessing)
    mine, allowed, seen = threading.get_native_id(), os.sched_getaffinity(0), []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.001):
            seen.append(os.sched_getaffinity(mine))

    thread = threading.Thread(target=watch)
    thread.start()
    for _ in range(10):
        model.logits(batch)
    ended.set()
    thread.join()
    assert len(seen) > 10
    assert all(cores == allowed for cores in seen)


def test_int8_needs_litert(imgcls: Imgcls, samples: Path) -> None:
    pytest.importorskip("openvino")
    done = imgcls(*("predict", samples / "cat.jpg", "--engine", "openvino", "--precision", "int8"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: --precision int8 needs LiteRT; leave out --engine openvino\n"
