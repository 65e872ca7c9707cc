"""What axe finds wrong for people with disabilities: WCAG 2.1, levels A and AA."""

from __future__ import annotations

import pytest
from selenium.webdriver import Keys

from live.conftest import Opener
from live.page import DESKTOP, PHONE, screen


@pytest.mark.parametrize("name", ["empty", "usual", "hostile"])
def test_no_scenario_breaks_a_rule_in_light_or_dark(opened: Opener, name: str) -> None:
    page = opened(name)
    assert page.violations() == []
    screen(page.tab, DESKTOP, dark=True)
    page.until(lambda: page.visible("button[aria-label='Use light colours']"))
    page.frame()
    assert page.violations() == []


def test_long_tables_break_no_rule(opened: Opener) -> None:
    assert opened("crowd").violations() == []


def test_phone_breaks_no_rule(opened: Opener) -> None:
    screen(opened.tab, PHONE)
    assert opened("usual").violations() == []


def test_opened_rows_stacks_and_the_help_break_no_rule(opened: Opener) -> None:
    page = opened("usual", "#by=process&filter=train")
    page.tab.element("#processes .opener").click()
    assert page.violations() == []
    page.keys("?")
    page.until(lambda: page.visible("dialog.help"))
    assert page.violations() == []
    page.keys(Keys.ESCAPE)
    page.until(lambda: not page.visible("dialog.help"))


def test_rules_are_looked_at(opened: Opener) -> None:
    """What must be found is found: else a clean page would say nothing."""
    page = opened("empty")
    page.run(
        "void document.querySelector('main').append(document.createElement('img'), document.createElement('button'))"
    )
    found = page.violations()
    assert [one.split(":")[0] for one in found] == ["button-name", "image-alt"]
