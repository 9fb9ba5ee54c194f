"""`imgcls doctor`."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Imgcls


@pytest.mark.usefixtures("compiled_default")
def test_a_sound_machine_and_one_that_is_not(
    imgcls: Imgcls, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = imgcls("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("imgcls") and done.stdout.endswith("No trouble found.\n")
    monkeypatch.setenv("IMGCLS_CACHE", "/dev/null/cache")
    done = imgcls("doctor", "-f", "json")
    assert done.returncode == 1
    assert "/dev/null is a file" in json.loads(done.stdout)["troubles"][0]
