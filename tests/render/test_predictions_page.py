from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import imgcls as api
from imgcls.core.tasks.classify.classify import Prediction, Record
from imgcls.render import predictions_page
from imgcls.render.predictions_page import html

Imgcls = Callable[..., "subprocess.CompletedProcess[str]"]

HOSTILE = "<script>alert(1)</script>.jpg"
GREY = np.full((224, 224, 3), 128, np.uint8)


def ok(path: str, score: float = 0.5, label: str = "cat", status: str = "ok") -> Record:
    rest = Prediction(2, "n2", "the rest", 1 - score)
    best = Prediction(1, "n1", label, score)
    return Record(path, status, "mine", 1, 1, (best, rest), None, GREY)  # type: ignore[arg-type]


def failed(path: str, error: str = "truncated JPEG") -> Record:
    return Record(path, "error", "mine", None, None, (), error)


MIXED = [
    ok("b10.jpg", 0.75),
    ok("b9.jpg", 0.5, "dog"),
    failed("broken.jpg"),
    ok(HOSTILE, 0.99, '"><img src=x onerror=alert(2)>'),
    ok("dim.jpg", 0.2, "dog", "unknown"),
]


def write(tmp_path: Path, records: list[Record]) -> Path:
    page = tmp_path / "page.html"
    page.write_text("".join(html(records, 5)), "utf-8")
    return page


def shown(browser) -> list[str]:  # type: ignore[no-untyped-def]
    return browser.run(
        "return [...document.querySelectorAll('.card')].filter(c => !c.hidden)"
        ".map(c => c.querySelector('h3').textContent)"
    )


NAMES = ["b10.jpg", "b9.jpg", "broken.jpg", HOSTILE, "dim.jpg"]


def test_opens_from_disk_without_errors_or_requests(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    page = write(tmp_path, MIXED)
    browser.open(page)
    assert browser.run("return document.title") == "4 images classified by mine"
    assert shown(browser) == NAMES
    pictures = "return [...document.images].map(i => [i.loading, i.src.slice(0, 15)])"
    assert browser.run(pictures) == [["lazy", "data:image/jpeg"]] * 4
    browser.run("document.images[3].scrollIntoView()")
    assert browser.one(".error .reason").text == "truncated JPEG"
    assert browser.one(".unknown .badge").text == "unknown"
    assert browser.console() == []
    assert browser.requests() == [page.as_uri()]


def test_names_stay_text(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    browser.open(write(tmp_path, MIXED))
    assert browser.run("return document.scripts.length") == 1
    assert browser.run("return document.querySelectorAll('img[onerror]').length") == 0
    label = browser.run("return document.querySelectorAll('.card')[3].querySelector('.label')")
    assert label.text == '"><img src=x onerror=alert(2)>'
    browser.run(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran=1\">')"
    )
    assert browser.run("return window.ran ?? null") is None  # the policy stops even this
    assert len(browser.requests()) == 1


def test_search_filters_and_reset(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    browser.open(write(tmp_path, MIXED))
    browser.type("#search", "B")
    assert shown(browser) == ["b10.jpg", "b9.jpg", "broken.jpg"]
    assert browser.one("#count").text == "3 of 5 shown"
    browser.choose("#status", "error")
    assert shown(browser) == ["broken.jpg"]
    browser.choose("#label", "dog")
    assert shown(browser) == [] and browser.one("#none").is_displayed()
    browser.one("#reset").click()
    assert shown(browser) == NAMES
    browser.choose("#label", "dog")
    assert shown(browser) == ["b9.jpg", "dim.jpg"]
    browser.choose("#status", "unknown")
    assert shown(browser) == ["dim.jpg"]
    assert browser.console() == []


def test_sorts_by_confidence_and_name(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    browser.open(write(tmp_path, MIXED))
    browser.choose("#sort", "falling")
    assert shown(browser) == [HOSTILE, "b10.jpg", "b9.jpg", "dim.jpg", "broken.jpg"]
    browser.choose("#sort", "rising")
    assert shown(browser) == ["dim.jpg", "b9.jpg", "b10.jpg", HOSTILE, "broken.jpg"]
    browser.choose("#sort", "name")
    assert shown(browser) == [HOSTILE, "b9.jpg", "b10.jpg", "broken.jpg", "dim.jpg"]
    browser.choose("#sort", "position")
    assert shown(browser) == NAMES


@pytest.mark.parametrize("width", [390, 1280])
def test_fits_its_width_in_light_and_dark(browser, tmp_path: Path, width: int) -> None:  # type: ignore[no-untyped-def]
    page = write(tmp_path, [*MIXED, ok("a/" * 60 + "x" * 150, 0.4, "y" * 90)])
    grounds = []
    for dark in (False, True):
        browser.look(width, dark=dark)
        browser.open(page)
        assert browser.run("return document.documentElement.scrollWidth") <= width
        grounds.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(246, 247, 249)", "rgb(17, 20, 26)"]
    columns = "return getComputedStyle(document.querySelector('#cards')).gridTemplateColumns"
    assert len(browser.run(columns).split()) == {390: 2, 1280: 5}[width]


def test_two_thousand_images_stay_usable(browser, samples: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    few = list(api.classify(samples, pixels=True))

    def many() -> Iterator[Record]:
        for number in range(2100):
            yield replace(few[number % len(few)], path=f"{number:04}.jpg")
        for number in range(600):
            yield failed(f"bad{number:03}.jpg")

    page = write(tmp_path, many())  # type: ignore[arg-type]
    assert page.stat().st_size < 25_000_000
    browser.look(1280)
    browser.open(page)
    assert browser.seconds < 15
    assert browser.run("return document.querySelectorAll('.card').length") == 2500
    assert browser.one("#limit").text == (
        "This page shows the first 2,000 of 2,100 images and 500 of 600 failed files; "
        "CSV, JSON Lines and Parquet have them all."
    )
    took = (
        "const t = performance.now(); %s; document.body.offsetHeight; return performance.now() - t"
    )
    assert browser.run(took % "search.value = '199'; filter()") < 3000
    assert len(shown(browser)) == 13
    assert browser.run(took % "search.value = ''; filter()") < 3000
    assert browser.run(took % "byId('sort').value = 'rising'; sort()") < 3000
    assert browser.console() == []


def test_no_limit_is_spoken_of_where_there_is_none(tmp_path: Path) -> None:
    assert 'id="limit"' not in write(tmp_path, MIXED).read_text("utf-8")


def test_only_the_first_images_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(predictions_page, "MOST_IMAGES", 2)
    text = write(tmp_path, MIXED).read_text("utf-8")
    assert re.findall(r'data-name="([^"]+)"', text) == ["b10.jpg", "b9.jpg", "broken.jpg"]
    assert "shows the first 2 of 4 images and 1 of 1 failed files" in text


def test_odd_names(tmp_path: Path) -> None:
    text = write(tmp_path, [failed("\udcff\x1b[2J\u202e.jpg", "<b>\ud800")]).read_text("utf-8")
    assert r"\udcff\x1b[2J\u202e.jpg" in text and r"&lt;b&gt;\ud800" in text


def test_no_records() -> None:
    assert "0 images classified" in "".join(html([], 5))


def test_predict_writes_it(imgcls: Imgcls, samples: Path, tmp_path: Path) -> None:
    done = imgcls("predict", samples, "-", "-o", "p.html", stdin=(samples / "cat.jpg").read_bytes())
    assert (done.returncode, done.stdout) == (0, "")
    text = (tmp_path / "p.html").read_text("utf-8")
    assert text.count("<article") == 6 and text.count('src="data:image/jpeg') == 6
    assert not re.search(r"""(?:src|href|action)=["'](?!data:)""", text)
    assert imgcls("predict", samples / "cat.jpg", "-o", "p.html", "--force").returncode == 0
    (tmp_path / "p.html").write_text("<!DOCTYPE html>\nmine")
    done = imgcls("predict", samples / "cat.jpg", "-o", "p.html")
    assert done.returncode == 1 and "not an earlier output of this kind" in done.stderr
