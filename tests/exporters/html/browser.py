"""A real Chromium without a window, and a page in it; nothing of it reaches the network."""

from __future__ import annotations

import base64
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PATIENCE_S = 30.0


def need_chromium() -> tuple[str, str]:
    """Where the browser and its driver are; skips the test where they are not, but never in CI."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser and driver:
        return browser, driver
    reason = "needs Chromium and its driver: apt-get install chromium chromium-driver"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """A browser with a fresh profile, ended at the end."""
    browser, driver = need_chromium()
    options = ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Naming the driver keeps selenium from looking for one elsewhere.
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


@dataclass(frozen=True, slots=True)
class Tab:
    """A page that was opened."""

    chrome: Chrome

    def open(self, path: Path) -> None:
        self.chrome.get(path.as_uri())

    def run(self, script: str) -> object:
        """What `script` gives back."""
        found: object = self.chrome.execute_script(f"return {script}")
        return found

    def number(self, script: str) -> float:
        found = self.run(script)
        assert isinstance(found, int | float)
        return float(found)

    def window(self) -> tuple[float, float]:
        """From when to when the chart shows."""
        scale = "document.documentElement.chart.plot.scales.x"
        return self.number(f"{scale}.min"), self.number(f"{scale}.max")

    def element(self, selector: str) -> WebElement:
        return self.chrome.find_element(By.CSS_SELECTOR, selector)

    def shown(self, selector: str) -> bool:
        return bool(self.run(f"document.querySelector('{selector}').getClientRects().length > 0"))

    def complaints(self) -> list[str]:
        """All that the console says: errors, violations of the policy, failed loads."""
        return [str(line["message"]) for line in self.chrome.get_log("browser")]  # type: ignore[no-untyped-call]

    def drag(self, from_part: float, to_part: float) -> None:
        """Over the chart, from and to these parts of its width."""
        over = self.element("#chart .u-over")
        width = over.size["width"]
        start, end = (int((part - 0.5) * width) for part in (from_part, to_part))
        actions = ActionChains(self.chrome, duration=50)
        actions.move_to_element_with_offset(over, start, 0).click_and_hold()
        actions.move_to_element_with_offset(over, end, 0).release().perform()

    def double_click(self) -> None:
        ActionChains(self.chrome, duration=50).double_click(self.element("#chart .u-over")).perform()

    def click(self, selector: str) -> None:
        self.chrome.execute_script("arguments[0].click()", self.element(selector))

    def emulate(self, *, width: int, dark: bool = False, script: bool = True) -> None:
        """A screen of this width; the colours that the system prefers; scripts on or off."""
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})

    def printed(self) -> bytes:
        """As a PDF."""
        found = self.chrome.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
        return base64.b64decode(found["data"])

    def until(self, holds: Callable[[], bool]) -> None:
        """Waits for what the browser does by itself; a slow machine is no failure."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
