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
        "return [...document.querySelectorAll('.card')].filter(c => c.checkVisibility())"
        ".map(c => c.querySelector('h2').textContent)"
    )


NAMES = ["b10.jpg", "b9.jpg", "broken.jpg", HOSTILE, "dim.jpg"]
TO_LOOK_AT = ["broken.jpg", "dim.jpg", "b10.jpg", "b9.jpg", HOSTILE]


def test_opens_from_disk_without_errors_or_requests(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    page = write(tmp_path, MIXED)
    browser.open(page)
    assert browser.run("return document.title") == "4 images classified by mine"
    assert shown(browser) == TO_LOOK_AT
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
    label = browser.run("return document.querySelectorAll('.card')[4].querySelector('.label')")
    assert label.text == '"><img src=x onerror=alert(2)>'
    browser.run(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran=1\">')"
    )
    assert browser.run("return window.ran ?? null") is None  # the policy stops even this
    assert len(browser.requests()) == 1


def test_a_model_that_knows_says_how_familiar_an_image_is(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    unfamiliar = replace(ok("cup.jpg", status="unknown"), familiarity=0.003)
    browser.open(write(tmp_path, [unfamiliar, ok("a.jpg")]))
    texts = "return [...document.querySelectorAll('.familiarity')].map(e => e.textContent)"
    assert browser.run(texts) == ["familiarity 0.3%"]


def test_a_view_comes_before_the_pixels_and_is_shown_whole(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    wide = np.zeros((160, 320, 3), np.uint8)
    browser.open(write(tmp_path, [replace(ok("a.jpg"), view=wide), ok("b.jpg")]))
    loaded = "return Promise.all([...document.images].map(i => i.decode()))"
    browser.run(loaded)
    sizes = "return [...document.images].map(i => [i.naturalWidth, i.naturalHeight])"
    assert browser.run(sizes) == [[320, 160], [224, 224]]
    fit = "return getComputedStyle(document.images[0]).objectFit"
    assert browser.run(fit) == "contain"


def test_search_filters_and_reset(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    browser.open(write(tmp_path, MIXED))
    browser.type("#search", "B")
    assert shown(browser) == ["broken.jpg", "b10.jpg", "b9.jpg"]
    assert browser.one("#count").text == "3 of 5 shown"
    browser.choose("#status", "error")
    assert shown(browser) == ["broken.jpg"]
    browser.choose("#label", "dog")
    assert shown(browser) == [] and browser.one("#none").is_displayed()
    browser.one("#reset").click()
    assert shown(browser) == TO_LOOK_AT
    browser.choose("#label", "dog")
    assert shown(browser) == ["dim.jpg", "b9.jpg"]
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
    browser.choose("#sort", "look")
    assert shown(browser) == TO_LOOK_AT


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


def test_labels_are_whole(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    long = "a_cocktail_shaker with " + "many" * 20
    browser.look(390)
    browser.open(write(tmp_path, [ok("some/folder/" + "n" * 80 + ".jpg", label=long)]))
    label = browser.one(".label")
    assert label.text == long
    fits = (
        "const e = arguments[0]; return [e.scrollWidth - e.clientWidth, e.getClientRects().length]"
    )
    for selector in (".label", "h2 > bdi", ".card li"):
        over, lines = browser.run(fits, browser.one(selector))
        assert over <= 0 and lines >= 1, selector
    tooltip = browser.one(".card li").get_attribute("title")
    assert tooltip == f"{long} (n1), 50.00%"
    assert browser.one("h2").get_attribute("title").startswith("some/folder/nnn")


@pytest.mark.parametrize("dark", [False, True])
def test_screen_readers_keyboards_and_weak_eyes_stumble_over_nothing(  # type: ignore[no-untyped-def]
    browser, tmp_path: Path, dark: bool
) -> None:
    browser.look(1280, dark=dark)
    browser.open(write(tmp_path, [*MIXED, *(ok(f"{number}.jpg", 1) for number in range(150))]))
    assert browser.faults() == []
    assert browser.tab_stops() == ["skip", "search", "label", "status", "sort", "next"]
    browser.type("#search", "nothing is called so")
    assert browser.faults() == []
    assert browser.tab_stops() == ["label", "status", "sort", "reset"]  # on from the search


def test_such_faults_would_be_found(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    page = tmp_path / "bad.html"
    page.write_text(
        "<!DOCTYPE html><title> </title><main><h1>a</h1><h3>b</h3><img src='data:,'>"
        "<input style='height:30px'>"
        "<p style='color:#999;background:#fff'>pale</p><button style='height:9px'>c</button>"
        "<nav></nav><ul><p>d</p></ul><li>e<i style='background:#333'></i></li></main>"
    )
    browser.look(1280)
    browser.open(page)
    assert browser.faults() == [
        *("html has no lang", "no title", "h3 comes after h1", "img has no alt"),
        *("input has no name", "button is smaller than 24 pixels", "nav has no name"),
        *("ul has more than items", "p: contrast 2.85", "li: contrast 1.66"),
    ]


def test_pages_are_turned(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    browser.look(1280)
    browser.open(write(tmp_path, [ok(f"{number:03}.jpg") for number in range(250)]))
    assert shown(browser) == [f"{number:03}.jpg" for number in range(120)]
    assert browser.one("#count").text == "1–120 of 250"
    assert not browser.one("#previous").is_enabled()
    for expected in ("121–240 of 250", "241–250 of 250"):
        browser.one("#next").click()
        assert browser.one("#count").text == expected
        assert browser.run("return document.activeElement.id") == "cards"
        assert (
            browser.run("return document.querySelector('.card').getBoundingClientRect().top") < 90
        )
    assert browser.one("#page").text == "Page 3 of 3" and len(shown(browser)) == 10
    assert not browser.one("#next").is_enabled()
    browser.one("#previous").click()
    assert shown(browser)[0] == "120.jpg"
    browser.choose("#sort", "position")  # whatever is chosen, its first page comes
    assert browser.one("#count").text == "1–120 of 250"
    browser.type("#search", "24")
    assert browser.one("#count").text == "13 of 250 shown"
    assert not browser.one("#pages").is_displayed()


def test_without_scripts_all_cards_are_there(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    page = write(tmp_path, [ok(f"{number:03}.jpg") for number in range(130)])
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(page)
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        assert len(shown(browser)) == 130
        assert not browser.one("#tools").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.slow
def test_ten_thousand_images_stay_usable(browser, samples: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    few = list(api.classify(samples, pixels=True))

    def many() -> Iterator[Record]:
        for number in range(10_100):
            yield replace(few[number % len(few)], path=f"{number:05}.jpg")
        for number in range(1200):
            yield failed(f"bad{number:04}.jpg")

    page = write(tmp_path, many())  # type: ignore[arg-type]
    assert 40_000_000 < page.stat().st_size < 52_000_000
    browser.look(1280)
    browser.open(page)
    assert browser.seconds < 30
    assert browser.run("return facts.length") == 11_000
    assert browser.one("#limit").text == (
        "This page shows the first 10,000 of 10,100 images and 1,000 of 1,200 failed files; "
        "CSV, JSON Lines and Parquet have them all."
    )
    assert re.match(r"The first [123],\d+ images have thumbnails;", browser.one("#pictured").text)
    took = (
        "const t = performance.now(); %s; document.body.offsetHeight; return performance.now() - t"
    )
    for work in (
        *("byId('search').value = '0199'; choose()", "byId('search').value = ''; choose()"),
        *("byId('sort').value = 'name'; sort()", "byId('sort').value = 'rising'; sort()"),
        *("turn(1)", "turn(1)"),
    ):
        assert browser.run(took % work) < 1500, work
    assert browser.console() == []


def test_beyond_its_bytes_a_page_has_no_more_thumbnails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(predictions_page, "MOST_BYTES", 1000)
    text = write(tmp_path, MIXED).read_text("utf-8")
    assert text.count('src="data:image') == 1 and text.count(">no thumbnail<") == 3
    assert "The first 1 image have thumbnails" not in text
    assert "Of the images, 1 has a thumbnail; with more" in text


def test_thumbnails_may_be_kept_elsewhere(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    def keep(jpeg: bytes) -> str:
        (tmp_path / "one.jpg").write_bytes(jpeg)
        return "one.jpg"

    page = tmp_path / "page.html"
    page.write_text("".join(html(MIXED, 5, keep=keep)), "utf-8")
    browser.look(1280)
    browser.open(page)
    wide = "return Promise.all([...document.images].map(i => i.decode().then(() => i.width)))"
    assert (
        len(browser.run(wide)) == 4 and browser.run("return document.images[0].naturalWidth") == 224
    )
    assert set(browser.requests()) == {page.as_uri(), (tmp_path / "one.jpg").as_uri()}
    assert browser.console() == []
    assert "This page is one file" not in page.read_text("utf-8")


def test_no_limit_is_spoken_of_where_there_is_none(tmp_path: Path) -> None:
    assert 'id="limit"' not in write(tmp_path, MIXED).read_text("utf-8")


def test_only_the_first_images_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(predictions_page.MOST, "ok", 2)
    text = write(tmp_path, MIXED).read_text("utf-8")
    assert re.findall(r'data-name="([^"]+)"', text) == [
        *("broken.jpg", "dim.jpg"),  # the last of all, but to be looked at
        *("b10.jpg", "b9.jpg"),
    ]
    assert "shows the first 3 of 4 images and 1 of 1 failed file;" in text


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
    assert not re.search(r"""(?:src|href|action)=["'](?!data:|#)""", text)
    assert imgcls("predict", samples / "cat.jpg", "-o", "p.html", "--force").returncode == 0
    (tmp_path / "p.html").write_text("<!DOCTYPE html>\nmine")
    done = imgcls("predict", samples / "cat.jpg", "-o", "p.html")
    assert done.returncode == 1 and "not an earlier output of this kind" in done.stderr
