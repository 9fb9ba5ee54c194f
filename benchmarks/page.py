"""How long Chromium is busy with a page of `predict`: `python benchmarks/page.py [IMAGES]`.

A page of so many photos, by default 10,000, in one file and in a folder. A browser freezes for as
long as its longest task takes; below a tenth of a second nobody notices.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from measure import SAMPLES
from selenium import webdriver

from imgcls.cli.report_folder import ReportFolder
from imgcls.core.engines.model import load_model
from imgcls.core.tasks.classify.classify import Record, as_sources, classify_sources
from imgcls.core.tasks.classify.options import ClassifyOptions
from imgcls.render.predictions import FORMATS
from imgcls.render.predictions_page import html

_SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
_WATCH = (
    "window.tasks = []; new PerformanceObserver((list) => list.getEntries().forEach("
    "(entry) => tasks.push(entry.duration))).observe({ type: 'longtask', buffered: true });"
)
_FIRST = "return performance.getEntriesByName('first-contentful-paint')[0].startTime"
_WORK = {
    "search": "byId('search').value = '0199'; choose()",
    "show all": "byId('search').value = ''; choose()",
    "sort by name": "byId('sort').value = 'name'; sort()",
    "sort by confidence": "byId('sort').value = 'rising'; sort()",
    "turn the page": "turn(1)",
}


def records(images: int) -> Iterator[Record]:
    options = ClassifyOptions(view=FORMATS["html"].view)
    few = list(classify_sources(as_sources(SAMPLES), load_model(), options))
    for number in range(images):
        yield replace(few[number % len(few)], path=f"photos/{number:05}.jpg")


def measure(driver: Any, page: Path, kind: str) -> None:
    started = time.monotonic()
    driver.get(page.as_uri())
    loaded = time.monotonic() - started
    tasks = driver.execute_script("return tasks")
    print(f"| {kind}: size of the page | {page.stat().st_size / 1e6:.1f} MB |")
    print(f"| first content | {driver.execute_script(_FIRST) / 1000:.2f} s |")
    print(f"| loaded | {loaded:.2f} s |")
    print(f"| longest task while it loads | {max(tasks, default=0):.0f} ms |")
    for name, script in _WORK.items():
        timed = (
            "const started = performance.now(); %s; document.body.offsetHeight;"
            "return performance.now() - started"
        )
        print(f"| {name} | {driver.execute_script(timed % script):.0f} ms |")


def main(images: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        alone = Path(name, "page.html")
        alone.write_text("".join(html(records(images), 5)), "utf-8")
        report = ReportFolder(str(Path(name, "report")))
        report.begin([])
        pieces = report.format.pieces(records(images), 5)
        Path(report.page).write_text("".join(map(str, pieces)), "utf-8")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for switch in (*_SWITCHES, f"--user-data-dir={name}/chromium"):
            options.add_argument(switch)
        driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
        watch = {"source": _WATCH}
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", watch)
        print(f"| {images:,} images, Chromium | |\n|---|---|")
        measure(driver, alone, "one file")
        measure(driver, Path(report.page), "`--report-dir`")
        driver.quit()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
