"""One browser for all tests of a worker: starting it takes longer than a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aipower.runrecord import RunRecord
from aipower_exporters.html import render_html
from exporters.html.browser import Tab, chromium


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium(tmp_path_factory.mktemp("profile")) as chrome:
        yield Tab(chrome)


@pytest.fixture
def tab(browser: Tab) -> Iterator[Tab]:
    """A window of a desktop in light colours, whatever the test before has done."""
    browser.emulate(width=1280)
    browser.complaints()
    yield browser
    browser.open(Path("/dev/null"))


class Opener:
    """Writes a record's page and opens it."""

    def __init__(self, tab: Tab, folder: Path) -> None:
        self.tab = tab
        self.folder = folder

    def __call__(self, record: RunRecord) -> Tab:
        path = self.folder / "run.html"
        path.write_bytes(render_html(record))
        self.tab.open(path)
        return self.tab


@pytest.fixture
def opened(tab: Tab, tmp_path: Path) -> Opener:
    return Opener(tab, tmp_path)
