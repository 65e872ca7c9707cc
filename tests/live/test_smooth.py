"""Many processes, many devices: the page follows without long work. Bounds are for slow machines; figures are told."""

from __future__ import annotations

import pytest

from live.conftest import Opener
from live.page import LivePage

POLLS = 5
MOST_BUSY = 0.8
"""Part of one core; a page that hangs has all of it."""


@pytest.mark.parametrize("name", ["crowd", "sixty"])
def test_page_follows_with_time_to_spare(opened: Opener, name: str) -> None:
    """By the time that the browser's own thread works, which other programs do not change."""
    page = opened(name, "#by=process" if name == "crowd" else "#by=device", lively=True)
    tab = page.tab
    tab.chrome.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    page.until(lambda: page.served.polls() > 2)
    polls, before_s, before_ms = page.served.polls(), _worked_s(page), page.number("performance.now()")
    page.until(lambda: page.served.polls() >= polls + POLLS)
    spent_s, lasted_s = _worked_s(page) - before_s, (page.number("performance.now()") - before_ms) / 1000
    tab.chrome.execute_cdp_cmd("Performance.disable", {})
    print(f"page: {name} {1000 * spent_s / POLLS:.0f} ms of work for each poll, {spent_s / lasted_s:.0%} of a core")
    assert spent_s / lasted_s < MOST_BUSY
    assert page.well() == []


def test_what_has_not_changed_is_not_written(opened: Opener) -> None:
    """Between two ticks of the agent a poll changes next to nothing in the page."""
    page = opened("crowd")
    page.run(
        "void (window.writes = 0, new MutationObserver((found) => { window.writes += found.length; })"
        ".observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true}))"
    )
    polls = page.served.polls()
    page.until(lambda: page.served.polls() >= polls + 4)
    print(f"page: {page.number('window.writes'):.0f} writes in 4 polls without news")
    assert page.number("window.writes") < 100


def _worked_s(page: LivePage) -> float:
    found = page.tab.chrome.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(next(row["value"] for row in found if row["name"] == "TaskDuration"))
