"""A Chromium that reaches this machine's loopback and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from exporters.html.browser import FLAGS, Tab, need_chromium

WATCH = (Path(__file__).parent / "watch.js").read_text()
RESOLVER = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """A tab that notes in each page what must not happen there, see `watch.js`."""
    binary, driver = need_chromium()
    options = ChromeOptions()
    options.binary_location = binary
    plain = [flag for flag in FLAGS if not flag.startswith("--host-resolver-rules")]
    for flag in (*plain, RESOLVER, f"--user-data-dir={profile}", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    try:
        chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        yield Tab(chrome)
    finally:
        chrome.quit()
