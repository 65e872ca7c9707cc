"""A Chromium that reaches this machine's loopback and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exporters.html.browser import Tab, chromium

WATCH = (Path(__file__).parent / "watch.js").read_text()


@contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """A tab that notes in each page what must not happen there, see `watch.js`."""
    with chromium(profile) as chrome:
        chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        yield Tab(chrome)
