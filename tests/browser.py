"""Debian's Chromium, driven over its own protocol, with the page's every request on record."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SWITCHES = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@dataclass
class Browser:
    """A browser that opens files from the disk.

    Attributes:
        driver: selenium's.
        seconds: what the last `open` took.
    """

    driver: Any
    seconds: float = 0.0

    def open(self, page: Path) -> None:
        self.requests(), self.console()  # of what was open before
        started = time.monotonic()
        self.driver.get(page.resolve().as_uri())
        self.seconds = time.monotonic() - started

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def one(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def type(self, selector: str, text: str) -> None:
        self.one(selector).send_keys(text)

    def choose(self, selector: str, value: str) -> None:
        from selenium.webdriver.support.ui import Select

        Select(self.one(selector)).select_by_value(value)

    def console(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last call.

        Without `data:`, without what the page's own policy stopped before it left, and without
        `chrome:`, pictures inside the browser that it draws its own buttons with.
        """
        sent: dict[str, str] = {}
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            facts = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                sent[facts["requestId"]] = facts["request"]["url"]
            elif facts.get("blockedReason") == "csp":
                del sent[facts["requestId"]]
        inside = ("data:", "chrome:")
        return [address for address in sent.values() if not address.startswith(inside)]

    def faults(self) -> list[str]:
        """Return what a screen reader, a keyboard or weak eyes stumble over, a line each."""
        script = Path(__file__).with_name("accessibility.js").read_text("utf-8")
        return list(self.run(script))

    def tab_stops(self) -> list[str]:
        """Press Tab until the focus leaves the page; return where it stopped, by id or tag.

        Raises:
            AssertionError: it never leaves, or something that has it does not show it.
        """
        from selenium.webdriver import ActionChains, Keys

        self.run("document.activeElement.blur(); window.stops = []")
        focused = (
            "const e = document.activeElement;"
            "if (e === document.body || stops.includes(e)) return null;"  # or it begins anew
            "stops.push(e);"
            "const s = getComputedStyle(e);"
            "return [e.id || e.className || e.localName, s.outlineStyle]"
        )
        stops: list[str] = []
        for _ in range(200):
            ActionChains(self.driver).send_keys(Keys.TAB).perform()
            found = self.run(focused)
            if found is None:
                return stops
            assert found[1] != "none", f"{found[0]} does not show that it has the focus"
            stops.append(found[0])
        raise AssertionError(f"the focus does not leave the page: {stops[-5:]}")

    def look(self, width: int, *, dark: bool = False) -> None:
        """Take a width in CSS pixels, and light or dark."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return Chromium, once for all tests of a worker."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("needs chromium and chromedriver; .ci/run installs them")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield Browser(opened)
    opened.quit()
