"""The tables: sorting, filtering, opening, by pointer and by keys."""

from __future__ import annotations

import pytest
from selenium.webdriver import Keys

from live.conftest import Opener
from live.page import LivePage

WINDOWED = 60
"""A longer table has only the rows in the page that are in sight of its box."""
BODY = "#processes tbody > tr:not(.gap)"


def names(page: LivePage) -> list[str]:
    return [row[0] for row in page.rows(BODY)]


def sort_by(page: LivePage, title: str) -> None:
    button = page.tab.chrome.find_element("xpath", f"//section[@id='processes']//th/button[span[text()='{title}']]")
    page.tab.chrome.execute_script("arguments[0].click()", button)
    page.frame()


@pytest.mark.parametrize(
    ("title", "key", "rising"),
    [
        ("Process", "comm", True),
        ("PID", "pid", True),
        ("User", "user", True),
        ("Power", "power_w", False),
        ("Energy", "energy_j", False),
    ],
)
def test_sorting_gives_the_order_of_the_api(opened: Opener, title: str, key: str, rising: bool) -> None:
    page = opened("crowd" if key == "power_w" else "usual", "#sort=-since_unix_s")
    rows = page.served.get("/api/v1/processes").json()["processes"]
    for reverse in (not rising, rising):
        sort_by(page, title)
        wanted = sorted((row[key] for row in rows), reverse=reverse)[:100]
        by_pid = {str(row["pid"]): row[key] for row in rows}
        shown = [by_pid[row[1]] for row in page.rows(BODY)]
        assert shown == wanted[: len(shown)]
        assert len(shown) == len(wanted) or len(wanted) > WINDOWED > len(shown) > 10
        way = "descending" if reverse else "ascending"
        assert page.texts(f"#processes th[aria-sort={way}] button > span:first-child") == [title]
    assert page.well() == []


def test_sorting_works_by_keys(opened: Opener) -> None:
    page = opened("usual")
    page.run("void document.querySelector('#processes th button').focus()")
    page.keys(Keys.ENTER)
    page.until(lambda: names(page) == sorted(names(page)))
    page.keys(Keys.SPACE)
    page.until(lambda: names(page) == sorted(names(page), reverse=True))
    assert "sort=-comm" in page.asked_view()


def test_filter_is_reached_by_a_key_and_left_by_another(opened: Opener) -> None:
    page = opened("usual")
    page.keys("/")
    assert page.focused() == "INPUT#process-filter.search"
    page.keys("ADA")
    page.until(lambda: sorted(names(page)) == ["eval.py", "train.py"])
    assert "2 of 5" in page.text(".filter")
    assert "hidden" in page.text("#processes tfoot")
    page.keys(" 4711 tr")
    page.until(lambda: names(page) == ["train.py"])
    page.keys("/")
    page.until(lambda: page.text("#processes .empty").startswith("No process fits"))
    page.keys(Keys.ESCAPE)
    page.until(lambda: len(names(page)) == 5)
    assert page.focused().startswith("BODY")


@pytest.mark.parametrize(
    ("words", "found"),
    [("grace", "jupyter"), ("2002", "vllm"), ("serve-7b", "vllm"), ("postgresql.service", "postgres")],
)
def test_filter_finds_by_user_pid_run_and_job(opened: Opener, words: str, found: str) -> None:
    page = opened("usual", f"#filter={words}")
    assert names(page) == [found]


def test_row_opens_to_its_devices(opened: Opener) -> None:
    page = opened("usual", "#filter=train")
    page.run("void document.querySelector('#processes .opener').focus()")
    page.keys(Keys.ENTER)
    page.until(lambda: page.visible("#processes .inside"))
    assert page.tab.element("#processes .opener").get_attribute("aria-expanded") == "true"
    told = page.text("#processes .inside")
    assert "GPU 0" in told
    assert "GPU 1" in told
    assert "CPU 0" in told
    page.keys(Keys.ENTER)
    page.until(lambda: not page.visible("#processes .inside"))


def test_arrows_go_from_row_to_row(opened: Opener) -> None:
    page = opened("usual")
    page.run("void document.querySelector('#processes .opener').focus()")
    at = "[...document.querySelectorAll('#processes .opener')].indexOf(document.activeElement)"
    for key, number in ((Keys.ARROW_DOWN, 1), (Keys.ARROW_DOWN, 2), (Keys.ARROW_UP, 1), (Keys.END, 4), (Keys.HOME, 0)):
        page.keys(key)
        assert page.run(at) == number


def test_focus_and_selection_outlast_an_update(opened: Opener) -> None:
    page = opened("usual", lively=True)
    page.run("void document.querySelector('#processes .opener').focus()")
    row = "document.activeElement.closest('tr').cells[1].textContent"
    pid, polls = page.run(row), page.served.polls()
    page.until(lambda: page.served.polls() >= polls + 4)
    assert page.run(row) == pid


def test_long_table_shows_the_rest_when_asked(opened: Opener) -> None:
    page = opened("crowd")
    assert page.run("document.querySelector('#processes table').getAttribute('aria-rowcount')") == "101"
    page.tab.click("#processes .more")
    page.until(lambda: "first 100" in page.text("#processes .more"))
    box = "document.querySelector('#processes .scroll')"
    page.run(f"void {box}.scrollTo(0, {box}.scrollHeight)")
    last = page.served.get("/api/v1/processes").json()["processes"][-1]["pid"]
    page.until(lambda: any(row[1] == str(last) for row in page.rows(BODY)))
    assert page.well() == []


def test_tab_reaches_all_parts_in_their_order_and_is_seen(opened: Opener) -> None:
    page = opened("usual")
    page.run("void (document.activeElement?.blur(), scrollTo(0, 0))")
    stops: list[str] = []
    for _ in range(150):
        page.keys(Keys.TAB)
        stops.append(str(page.run(STOP)))
        if stops[-1].startswith("footer"):
            break
    parts = list(dict.fromkeys(stop.split(" ")[0] for stop in stops))
    assert parts == [
        "BODY",
        "toolbar",
        "chart",
        "devices",
        "processes",
        "jobs",
        "runs",
        "energy",
        "health",
        "help",
        "footer",
    ]
    assert [stop for stop in stops if stop.endswith("unseen")] == []


STOP = """(() => {
  const at = document.activeElement;
  const part = at.closest('footer') ? 'footer' : at.closest('main > *, header')?.id ?? 'BODY';
  const style = getComputedStyle(at.matches('input[type=radio]') ? at.closest('label').querySelector('span') : at);
  const ringed = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== 'none';
  return `${part} ${at.tagName} ${ringed ? 'seen' : 'unseen'}`;
})()"""


def test_help_opens_by_a_key_and_closes(opened: Opener) -> None:
    page = opened("empty")
    page.keys("?")
    page.until(lambda: page.visible("dialog.help"))
    assert "95 %" in page.text("dialog.help")
    page.keys(Keys.ESCAPE)
    page.until(lambda: not page.visible("dialog.help"))
