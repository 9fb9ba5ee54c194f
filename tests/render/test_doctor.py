"""A look at the machine, as text and as JSON."""

from __future__ import annotations

import json

from imgcls.core.tasks.doctor.doctor import Checkup
from imgcls.render.doctor import FORMATS

SOUND = Checkup({"Python": "3.11.1"}, {"click": "8", "openvino": ""}, {}, ())
ILL = Checkup({"Python": "3.11.1"}, {"click": ""}, {"LANG": "C\n"}, ("no room", "no net"))


def test_text() -> None:
    assert "".join(FORMATS["text"](SOUND)) == (
        "Python  3.11.1\n\nclick     8\nopenvino  not installed\n\nNo trouble found.\n"
    )
    lines = "".join(FORMATS["text"](ILL)).splitlines()
    assert lines[-3:] == ["", "Trouble: no room", "Trouble: no net"]
    assert lines[4].startswith("LANG  C") and len(lines) == 8


def test_json() -> None:
    found = json.loads("".join(FORMATS["json"](SOUND)))
    assert found["packages"] == {"click": "8", "openvino": None}
    assert found["troubles"] == [] and json.loads("".join(FORMATS["json"](ILL)))["troubles"]
