"""One browser for all tests of a worker, and each world once, made when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from exporters.html.browser import Tab
from live.browser import browser
from live.page import DESKTOP, LivePage, screen
from live.scenarios import PLANS
from live.serving import Served, served
from live.shelves import records, shelf_of, ugly_records
from live.worlds import World

RECORDS = {"usual": records, "hostile": ugly_records}


class Worlds:
    """Served worlds by name. A test that changes one for good makes its own with `fresh`."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._made = 0
        self._known: dict[str, Served] = {}

    def __call__(self, name: str) -> Served:
        if name not in self._known:
            self._known[name] = self.fresh(name, self._stack)
        return self._known[name]

    def fresh(self, name: str, stack: ExitStack) -> Served:
        """One of its own, which ends with `stack`."""
        self._made += 1
        shelf = shelf_of(self._folder / f"{name}-{self._made}", RECORDS[name]() if name in RECORDS else [])
        return stack.enter_context(served(World(PLANS[name], shelf)))


class Opener:
    """Opens the page of a world."""

    def __init__(self, tab: Tab, worlds: Worlds, stack: ExitStack) -> None:
        self.tab = tab
        self.worlds = worlds
        self.stack = stack

    def __call__(self, name: str, view: str = "", *, alone: bool = False, lively: bool = False) -> LivePage:
        """`alone`: in a world that no other test sees. `lively`: it lives along until the test ends."""
        shown = self.worlds.fresh(name, self.stack) if alone else self.worlds(name)
        shown.world.catch_up()
        if lively:
            self.stack.enter_context(shown.world.running())
        return LivePage(self.tab, shown).open(view)


@pytest.fixture(scope="session")
def live_tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("live-profile")) as tab:
        yield tab


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    with ExitStack() as stack:
        yield Worlds(stack, tmp_path_factory.mktemp("live-runs"))


@pytest.fixture
def opened(live_tab: Tab, worlds: Worlds) -> Iterator[Opener]:
    """A window of a desktop in light colours, whatever the test before has done; at the end nothing must be amiss."""
    screen(live_tab, DESKTOP)
    with ExitStack() as stack:
        yield Opener(live_tab, worlds, stack)
        live_tab.chrome.get("about:blank")
