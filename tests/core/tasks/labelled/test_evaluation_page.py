from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.core.models.labels import ClassLabel
from imgcls.core.pixels.sources import Source
from imgcls.core.tasks.labelled.evaluation import Evaluation
from imgcls.core.tasks.labelled.evaluation_page import Explain, report_page
from imgcls.core.tasks.labelled.figures import ScoredImage, summarize
from imgcls.core.tasks.labelled.trust import Risk, Unfamiliar

EVIL = "<script>alert(1)</script>"
CLASSES = [ClassLabel(name, name) for name in ("cat", EVIL, "eel")]


@pytest.fixture
def evaluation(samples: Path) -> Evaluation:
    """Return the figures of six images, two of them mistakes with a picture."""
    return summarize(
        [
            ScoredImage("1.jpg", 0, 0, 0.9, 0.9, 1),
            ScoredImage("2.jpg", 0, 0, 0.8, 0.8, 1),
            ScoredImage(str(samples / "cat.jpg"), 0, 2, 0.6, 0.3, 2),
            ScoredImage(str(samples / "coffee.jpg"), 1, 2, 0.95, 0.01, 3),
            ScoredImage("4.jpg", 2, 2, 0.7, 0.7, 1),
            ScoredImage("5.jpg", 1, 1, 0.99, 0.99, 1),
            ScoredImage("<b>6.jpg", error="truncated JPEG"),
        ],
        CLASSES,
        "mine",
    )


def write(tmp_path: Path, evaluation: Evaluation, explain: Explain | None = None) -> Path:
    page = tmp_path / "report.html"
    page.write_text("".join(report_page(evaluation, explain)), "utf-8")
    return page


def cells(browser, selector: str) -> list[str]:  # type: ignore[no-untyped-def]
    return browser.run(
        "return [...document.querySelectorAll(arguments[0])].map(c => c.textContent.trim())",
        selector,
    )


def test_opens_from_disk_without_errors_or_requests(  # type: ignore[no-untyped-def]
    browser, evaluation: Evaluation, tmp_path: Path
) -> None:
    page = write(tmp_path, evaluation)
    browser.look(1280)
    browser.open(page)
    assert cells(browser, "dd") == ["66.67%", "65.56%", "70.56%", "35.67%", "2"]
    assert cells(browser, "table#matrix tbody td") == ["2", "", "1", "", "1", "1", "", "", "1"]
    assert browser.run("return document.querySelectorAll('#reliability .bar').length") == 5
    assert cells(browser, "#mistakes s") == ["eel", "eel"]
    assert cells(browser, "#mistakes .good") == [EVIL, "cat"]  # the surest mistake first
    assert browser.run("return document.images.length") == 2
    assert cells(browser, "#errors td") == ["<b>6.jpg", "truncated JPEG"]
    assert browser.run("return document.scripts.length") == 1
    assert browser.console() == []
    assert browser.requests() == [page.as_uri()]


def test_the_class_table_sorts(browser, evaluation: Evaluation, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    browser.open(write(tmp_path, evaluation))
    names = "#classes tbody td:first-child"
    assert cells(browser, names) == ["cat", EVIL, "eel"]
    heading = browser.driver.find_elements("css selector", "#classes th button")
    precision, images = heading[1], heading[4]
    precision.click()
    assert cells(browser, "#classes tbody td:nth-child(2)") == ["100.0%", "100.0%", "33.3%"]
    precision.click()
    assert cells(browser, "#classes tbody td:nth-child(2)") == ["33.3%", "100.0%", "100.0%"]
    sort = (
        "return [...document.querySelectorAll('#classes th')].map(h => h.getAttribute('aria-sort'))"
    )
    assert browser.run(sort) == [None, "ascending", None, None, None]
    images.click()
    assert cells(browser, "#classes tbody td:last-child") == ["3", "2", "1"]
    heading[0].click()
    assert cells(browser, names) == [EVIL, "cat", "eel"]
    assert cells(browser, "#classes tfoot td:first-child") == ["macro mean", "weighted mean"]


def test_heatmaps_stand_beside_the_mistakes(  # type: ignore[no-untyped-def]
    browser, evaluation: Evaluation, tmp_path: Path
) -> None:
    asked = []

    def explain(source: Source) -> Image.Image:
        asked.append(Path(source.name).name)
        return Image.new("RGB", (400, 300), (255, 0, 0))

    browser.open(write(tmp_path, evaluation, explain))
    assert asked == ["coffee.jpg", "cat.jpg"]
    assert browser.run("return document.querySelectorAll('img.heatmap').length") == 2
    boxes = [picture.rect for picture in browser.driver.find_elements("css selector", "figure img")]
    assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] < boxes[1]["x"]
    assert browser.run("return document.querySelector('.heatmap').alt") == "heatmap of eel"


@pytest.mark.parametrize("width", [390, 1280])
def test_fits_its_width_in_light_and_dark(  # type: ignore[no-untyped-def]
    browser, evaluation: Evaluation, tmp_path: Path, width: int
) -> None:
    page = write(tmp_path, evaluation)
    for dark in (False, True):
        browser.look(width, dark=dark)
        browser.open(page)
        assert browser.run("return document.documentElement.scrollWidth") <= width


def test_the_class_table_fits_a_phone(browser, evaluation: Evaluation, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    long = replace(evaluation.classes[0], label="drilling_platform_of_a_(n0123456)")
    browser.look(390)
    browser.open(write(tmp_path, replace(evaluation, classes=(long, *evaluation.classes[1:]))))
    table = "const e = document.querySelector('#classes').parentElement;"
    assert browser.run(f"{table} return e.scrollWidth - e.clientWidth") == 0


@pytest.mark.parametrize(
    ("risk", "ticks"),
    [
        *((0.0, ["0", "0.25", "0.5", "0.75", "1"]), (0.0781, ["0", "2", "4", "6", "8"])),
        *((0.246, ["0", "10", "20", "30", "40"]), (1.0, ["0", "25", "50", "75", "100"])),
    ],
)
def test_the_ticks_of_the_risk_are_numbers_to_read(
    evaluation: Evaluation, risk: float, ticks: list[str]
) -> None:
    page = "".join(report_page(replace(evaluation, risks=(Risk(1.0, risk, 0.1),))))
    chart = page.partition('id="risk"')[2].partition("</svg>")[0]
    assert re.findall(r'text-anchor="end">([^<]*)<', chart) == ticks


def test_what_is_said_of_confidence_and_of_other_things(evaluation: Evaluation) -> None:
    nothing = "No <code>--min-confidence</code> reaches the accuracy that was asked for."
    assert nothing not in "".join(report_page(evaluation))
    others = Unfamiliar(1, 1, 0.012, 0.03, 0.99, "familiarity")
    page = "".join(report_page(replace(evaluation, recommended=None, unfamiliar=others)))
    assert nothing in page
    assert "1 of 1 photo is called unknown, as they should be." in page
    assert "Of the images that were classified correctly, 1.2% are called unknown too." in page


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("classes", [2, 12, 40])
def test_screen_readers_keyboards_and_weak_eyes_stumble_over_nothing(  # type: ignore[no-untyped-def]
    browser, samples: Path, tmp_path: Path, classes: int, dark: bool
) -> None:
    browser.look(1280, dark=dark)
    browser.open(write(tmp_path, of_classes(classes, str(samples / "cat.jpg"))))
    assert browser.faults() == []
    framed = {2: [], 12: [], 40: ["button", "button", "button", "scroll", "pairs scroll"]}[classes]
    stops = [stop.replace("zoomed", "scroll") for stop in browser.tab_stops()]
    assert stops == [*framed, "summary", *["button"] * 5]


def of_classes(number: int, mistaken: str) -> Evaluation:
    """Return the figures of three images of each class, one of them a mistake."""
    classes = [ClassLabel(f"n{one}", f"class {one}") for one in range(number)]
    scored = [
        image
        for one in range(number)
        for image in (
            ScoredImage(f"{one}a.jpg", one, one, 0.9, 0.9, 1),
            ScoredImage(f"{one}b.jpg", one, one, 0.7, 0.7, 1),
            ScoredImage(mistaken, one, (one + 1) % number, 0.6, 0.3, 2),
        )
    ]
    return summarize(scored, classes, "mine")


def test_of_two_classes_nothing_is_empty_or_goes_without_saying(  # type: ignore[no-untyped-def]
    browser, samples: Path, tmp_path: Path
) -> None:
    browser.look(1280)
    browser.open(write(tmp_path, of_classes(2, str(samples / "cat.jpg"))))
    assert "Top-5" not in cells(browser, "dt")
    assert cells(browser, "h2")[:3] == ["Confusion matrix", "Reliability", "Coverage and accuracy"]
    assert "Most frequent confusions" not in cells(browser, "h2")
    box = browser.one("#matrix tbody td").rect
    assert box["height"] >= 80 and box["width"] >= 80
    assert browser.run("return document.querySelectorAll('#zoom').length") == 0


@pytest.mark.parametrize("classes", [2, 8, 12])
def test_the_cards_leave_no_hole(browser, samples: Path, tmp_path: Path, classes: int) -> None:  # type: ignore[no-untyped-def]
    browser.look(1280)
    browser.open(write(tmp_path, of_classes(classes, str(samples / "cat.jpg"))))
    boxes = browser.run(
        "return [...document.querySelectorAll('.columns > .panel')]"
        ".map(e => e.getBoundingClientRect())"
        ".map(box => [Math.round(box.top), Math.round(box.width)])"
    )
    whole = browser.run("return document.querySelector('.columns').clientWidth")
    for top in {top for top, _ in boxes}:
        widths = [width for other, width in boxes if other == top]
        assert sum(widths) + 14 * (len(widths) - 1) == pytest.approx(whole, abs=3)


def test_a_matrix_of_many_classes_is_enlarged_about_its_middle(  # type: ignore[no-untyped-def]
    browser, samples: Path, tmp_path: Path
) -> None:
    browser.look(1280)
    browser.open(write(tmp_path, of_classes(300, str(samples / "cat.jpg"))))
    wide = "return document.getElementById('matrix').getBoundingClientRect().width"
    frame = "const z = document.getElementById('zoomed'); return %s"
    whole = browser.run(wide)
    smaller, larger, all_of_it = browser.driver.find_elements("css selector", "#zoom button")
    larger.click()
    larger.click()
    assert browser.run(wide) == pytest.approx(4 * whole, rel=0.05)
    middle = "(z.scrollLeft + z.clientWidth / 2) / z.scrollWidth"
    assert browser.run(frame % middle) == pytest.approx(0.5, abs=0.02)
    smaller.click()
    assert browser.run(wide) == pytest.approx(2 * whole, rel=0.05)
    for _ in range(20):
        larger.click()
    assert 20 < browser.run(wide) / 300 < 64  # pixels a cell, and no more
    all_of_it.click()
    assert browser.run(wide) == pytest.approx(whole, rel=0.05)
    browser.run(
        "document.querySelector('rect.wrong')"
        ".dispatchEvent(new Event('pointerover', { bubbles: true }))"
    )
    assert browser.one("#cell").text == "class 0, predicted as class 1: 1"
    assert cells(browser, ".pairs tbody tr:first-child td") == ["class 0", "class 1", "1", "33%"]
    assert len(cells(browser, ".pairs tbody tr")) == 40
    assert browser.console() == []


def test_a_thousand_classes(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    classes = [ClassLabel(f"n{number}", f"class {number}") for number in range(1000)]
    scored = []
    for number in range(5000):
        actual, predicted = (
            number % 1000,
            int(rng.integers(1000)) if number % 4 == 0 else number % 1000,
        )
        rank = 1 if actual == predicted else 2
        scored.append(
            ScoredImage(f"{number}.jpg", actual, predicted, float(rng.random()), 0.1, rank)
        )
    result = summarize(scored, classes, "mine")
    page = write(tmp_path, result)
    assert page.stat().st_size < 2_000_000
    browser.open(page)
    assert browser.seconds < 10
    drawn = browser.run("return document.querySelectorAll('svg#matrix rect.right').length")
    assert drawn == np.count_nonzero(np.diag(result.confusion_matrix))
    assert len(cells(browser, "#misclassified tbody tr")) == 1000
    assert f"The first 1,000 of {len(result.misclassified):,}." in page.read_text("utf-8")
    assert browser.console() == []
