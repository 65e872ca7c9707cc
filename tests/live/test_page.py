"""The page as a whole: it loads, keeps to its rules, and fits all screens, colours and paper."""

from __future__ import annotations

import gzip

import httpx
import pytest

from exporters.html.browser import Tab
from live.conftest import Opener
from live.figures import UNKNOWN
from live.page import DESKTOP, PHONE, screen
from live.scenarios import PLANS, UGLY, XSS

MOST_BYTES = 150 * 1024
ALL_SECTIONS = ("chart", "devices", "processes", "jobs", "runs", "energy", "footprint", "health", "help")


@pytest.mark.parametrize("name", list(PLANS))
def test_page_loads_from_here_only_without_a_complaint_and_fits_a_phone(opened: Opener, name: str) -> None:
    page = opened(name)
    before = page.served.polls()
    page.until(lambda: page.served.polls() > before)
    assert page.run("document.compatMode") == "CSS1Compat"
    assert page.number("document.documentElement.scrollWidth") <= DESKTOP
    screen(page.tab, PHONE)
    page.until(lambda: page.number("innerWidth") == PHONE)
    page.frame()
    assert page.number("document.documentElement.scrollWidth") <= PHONE
    assert page.well() == []
    assert page.foreign() == []


def test_usual_page_has_all_its_sections(opened: Opener) -> None:
    page = opened("usual")
    assert [one for one in ALL_SECTIONS if not page.visible(f"#{one}")] == []
    assert page.text("h1") == httpx.get(f"{page.served.url}/api/v1/snapshot").json()["host"]
    assert str(page.run("document.title")).endswith("aipower")


def test_all_files_together_are_small(opened: Opener) -> None:
    page = opened("usual")
    loaded = page.run("performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)")
    assert isinstance(loaded, list)
    paths = {"/", *(path for path in loaded if not str(path).startswith("/api/"))}
    bodies = [httpx.get(f"{page.served.url}{path}", headers={"accept": "text/html"}).content for path in paths]
    sent = sum(len(gzip.compress(body, 6)) for body in bodies)
    print(f"page: {len(paths)} files, {sent} bytes compressed, {sum(map(len, bodies))} plain")
    assert len(paths) > 20
    assert sent <= MOST_BYTES


def test_first_paint_is_told(opened: Opener) -> None:
    """The figure for the report; the bound is for a machine that does other things too."""
    page = opened("usual")
    paint_ms = page.number("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    print(f"page: first contentful paint after {paint_ms:.0f} ms")
    assert 0 < paint_ms < 10_000


def test_policy_refuses_what_is_not_the_pages_own(opened: Opener) -> None:
    page = opened("empty")
    page.run(
        "void document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.x = 1'}))"
    )
    page.run("void document.body.insertAdjacentHTML('beforeend', '<p style=\"position:fixed\" id=styled>x</p>')")
    assert page.run("window.x === undefined")
    assert page.run("getComputedStyle(document.querySelector('#styled')).position") == "static"
    assert len(page.well()) >= 2


def test_names_that_are_markup_are_text(opened: Opener) -> None:
    page = opened("hostile")
    for view in ("#by=process", "#by=device", "#range=3600"):
        page.open(view)
        page.run("document.querySelectorAll('.opener').forEach((one) => one.click())")
        page.until(lambda: page.count("#processes .inside"))
        assert page.well() == []
        assert page.count("img") == page.count("body script") == 0
    shown = "\n".join(page.texts("#processes tbody, #jobs tbody, #runs tbody, #health, #devices"))
    assert shown.count(XSS) >= 6
    assert "alert(2)" in shown
    assert "\u202e" not in shown


def test_names_of_links_lead_nowhere_else(opened: Opener) -> None:
    page = opened("hostile")
    page.until(lambda: page.count("#runs a") == len(UGLY))
    links = page.run("[...document.links].map((one) => one.href)")
    assert isinstance(links, list)
    assert all(str(link).startswith(f"{page.served.url}/") for link in links)


def test_dark_is_the_systems_choice_until_the_reader_chooses(opened: Opener) -> None:
    screen(opened.tab, DESKTOP, dark=True)
    page = opened("empty")
    assert _brightness(page.run(GROUND)) < 60
    button = page.tab.chrome.find_element("xpath", "//button[@aria-label='Use light colours']")
    button.click()
    page.until(lambda: _brightness(page.run(GROUND)) > 200)
    page.open()
    assert _brightness(page.run(GROUND)) > 200
    page.run("void localStorage.clear()")
    page.open()
    assert _brightness(page.run(GROUND)) < 60


GROUND = "getComputedStyle(document.body).backgroundColor + getComputedStyle(document.documentElement).backgroundColor"


def _brightness(color: object) -> float:
    """0..255 of the last opaque colour in a text of them."""
    parts = [part.split(")")[0] for part in str(color).replace("rgba(0, 0, 0, 0)", "").split("rgb")[1:]]
    channels = [float(value) for value in parts[0].lstrip("a(").split(",")[:3]]
    return sum(channels) / 3


def test_paper_has_all_sections_and_no_controls(opened: Opener) -> None:
    page = opened("usual")
    page.tab.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert all(
        page.visible(f"#{one}") for one in ("chart", "devices", "processes", "jobs", "runs", "energy", "health")
    )
    assert not page.visible("#toolbar")
    assert not page.visible(".filter")
    assert _brightness(page.run(GROUND)) > 240
    page.tab.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    printed = page.tab.printed()
    assert printed.startswith(b"%PDF-")


def test_without_scripts_the_page_says_where_the_figures_are(live_tab: Tab, opened: Opener) -> None:
    served = opened("empty").served
    live_tab.emulate(width=DESKTOP, script=False)
    live_tab.chrome.get(served.url)
    live_tab.emulate(width=DESKTOP)
    assert "JavaScript" in live_tab.element("noscript").text
    assert live_tab.element("noscript a").get_attribute("href") == f"{served.url}/metrics"


def test_programs_get_the_index_and_browsers_the_page(opened: Opener) -> None:
    url = opened("empty").served.url
    assert httpx.get(url, headers={"accept": "*/*"}).headers["content-type"].startswith("text/plain")
    assert httpx.get(url, headers={"accept": "text/html,*/*"}).headers["content-type"].startswith("text/html")


def test_reports_of_runs_open(opened: Opener) -> None:
    page = opened("usual")
    page.until(lambda: page.count("#runs a"))
    page.tab.element("#runs a").click()
    page.until(lambda: "/runs/" in page.tab.chrome.current_url)
    assert page.text("h1") == "resnet50"
    assert page.well() == []


def test_empty_machine_shows_what_is_missing_and_what_to_do(opened: Opener) -> None:
    page = opened("empty")
    told = page.text("#health")
    for missing in PLANS["empty"].missing:
        assert missing.source in told
        assert missing.reason in told
        assert missing.remedy in told
    assert page.text(".totals .main dd span") == UNKNOWN
    assert "NaN" not in page.text("body")


def test_machines_without_a_footprint_show_none(opened: Opener) -> None:
    page = opened("empty")
    assert not page.visible("#footprint")
