"""The main chart: it moves, is stacked as asked, zooms, and can be read without a pointer."""

from __future__ import annotations

import re

import pytest
from selenium.webdriver import ActionChains, Keys

from live.conftest import Opener
from live.figures import UNKNOWN, number, tells
from live.page import LivePage

TOTAL = re.compile(r"total (?P<power>[\d.]+ k?W)( ±[\d.]+ m?W)?(;|$)")
OVER = "#chart .u-over"


def layers(page: LivePage) -> list[str]:
    return page.texts("#chart .legend tbody .legend-name")


def test_chart_moves(opened: Opener) -> None:
    page = opened("usual", lively=True)
    before, (heard,) = page.picture(), page.walk("End", 1)
    page.keys(Keys.ESCAPE)
    page.until(lambda: page.picture() != before)
    page.until(lambda: page.walk("End", 1) != [heard])
    assert page.well() == []


@pytest.mark.parametrize(
    ("by", "some"),
    [("device", {"GPU 0", "GPU 3", "CPU 0"}), ("process", {"train.py 2000", "vllm 2002", "jupyter 2003", "Idle"})],
)
def test_stack_is_by_what_was_chosen(opened: Opener, by: str, some: set[str]) -> None:
    page = opened("usual")
    assert layers(page) == ["Active", "Context", "Unattributed", "Idle"]
    before = page.picture()
    page.tab.click(f"#toolbar input[value={by}]")
    page.until(lambda: some <= {*layers(page)})
    page.until(lambda: page.picture() != before)
    assert f"by={by}" in page.asked_view()
    assert page.well() == []


@pytest.mark.parametrize("by", ["component", "device", "process"])
def test_layers_sum_to_the_mean(opened: Opener, by: str) -> None:
    page = opened("usual", f"#by={by}")
    page.until(lambda: TOTAL.search(page.walk("End", 1)[0]))
    page.walk("ArrowLeft", 30)
    figures = page.texts("#chart .legend tbody td.figure:not(.half)")
    document = page.served.get("/api/v1/history", by=by).json()
    sums = [sum(column) for column in zip(*(one["mean_w"] for one in document["layers"]), strict=True)]
    shown_w = sum(number(one) for one in figures if one != UNKNOWN)
    assert min(abs(shown_w - one) for one in sums) < 0.1 * len(figures)


def test_a_layer_can_be_taken_out_and_put_back(opened: Opener) -> None:
    page = opened("usual")
    before = page.picture()
    page.tab.click("#chart .legend .layer")
    page.until(lambda: page.tab.element("#chart .legend .layer").get_attribute("aria-pressed") == "false")
    page.until(lambda: page.picture() != before)
    page.tab.click("#chart .legend .layer")
    page.until(lambda: page.picture() == before)


@pytest.mark.parametrize("range_s", [900, 3600, 21600])
def test_range_is_what_was_chosen(opened: Opener, range_s: int) -> None:
    page = opened("usual")
    page.tab.click(f"#toolbar input[value='{range_s}']")
    page.until(lambda: f"range={range_s}" in page.asked_view())
    page.until(lambda: (page.walk("End", 1), TOTAL.search(page.walk("ArrowLeft", 3)[-1]))[1])
    first = page.served.get("/api/v1/history", **{"from": str(-range_s)}).json()["start_unix_s"][0]
    heard = page.walk("Home", 1) + page.walk("PageDown", 60)
    known = [one for one in heard if TOTAL.search(one)]
    assert known
    assert page.served.world.machine.clock.unix_s() - first <= range_s + 60
    assert page.well() == []


def test_view_of_an_address_is_shown(opened: Opener) -> None:
    page = opened("usual", "#range=3600&by=device&device=GPU-00000001&filter=train")
    assert page.run("document.querySelector('#toolbar input[value=\"3600\"]').checked")
    page.until(lambda: layers(page) == ["GPU 1"])
    assert page.text("#chart .chart-scope") == "GPU 1"
    assert page.run("document.querySelector('#process-filter').value") == "train"


def test_drag_zooms_and_all_ways_back_work(opened: Opener) -> None:
    page = opened("usual")
    for back in ("double click", "button", "escape"):
        page.drag(OVER, 0.25, 0.5)
        page.until(lambda: "zoom=" in page.asked_view())
        from_s, to_s = (float(at_s) for at_s in page.asked_view().split("zoom=")[1].split("&")[0].split("_"))
        assert to_s - from_s == pytest.approx(75, rel=0.1)
        assert page.visible("#toolbar button:not([hidden])")
        if back == "double click":
            ActionChains(page.tab.chrome, duration=50).double_click(page.tab.element(OVER)).perform()
        elif back == "button":
            page.tab.chrome.find_element("xpath", "//button[text()='Reset zoom']").click()
        else:
            page.keys(Keys.ESCAPE)
        page.until(lambda: "zoom=" not in page.asked_view())
    assert page.well() == []


def test_cursor_walks_by_keys_and_is_heard(opened: Opener) -> None:
    page = opened("usual")
    plot = page.tab.element("#chart .plot")
    plot.send_keys(Keys.END)
    last = page.text("#chart output")
    plot.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert TOTAL.search(page.text("#chart output"))
    assert page.text("#chart output") != last
    assert page.text("#chart .legend-when").startswith("At ")
    plot.send_keys(Keys.ESCAPE)
    assert page.text("#chart output") == ""
    assert page.text("#chart .legend-when").startswith("Now")


def test_pointer_tells_time_and_power(opened: Opener) -> None:
    page = opened("usual")
    ActionChains(page.tab.chrome, duration=50).move_to_element(page.tab.element(OVER)).perform()
    page.until(lambda: page.visible("#chart .tip"))
    assert re.search(r"\d\d:\d\d:\d\d[\d.]+ k?W", page.text("#chart .tip"))


def test_card_shows_its_device_alone(opened: Opener) -> None:
    page = opened("usual")
    page.tab.element(".card .card-choose").click()
    page.until(lambda: page.text("#chart .chart-scope") == "GPU 0")
    assert page.tab.element(".card .card-choose").get_attribute("aria-pressed") == "true"
    read_w = page.served.get("/api/v1/power", device="GPU-00000000").json()["power_w"]["GPU-00000000"][-1]
    page.until(lambda: tells(page.text("#chart .legend thead td"), read_w))


def test_pause_stops_and_goes_on(opened: Opener) -> None:
    page = opened("usual", lively=True)
    button = page.tab.chrome.find_element("xpath", "//button[text()='Pause']")
    button.click()
    page.until(lambda: "Paused" in page.text(".state"))
    asked, before = page.served.polls(), page.picture()
    number_then = page.served.world.agent.ticks()
    page.until(lambda: page.served.world.agent.ticks() >= number_then + 3)
    assert page.served.polls() <= asked + 1
    assert page.picture() == before
    button.click()
    page.until(lambda: page.served.polls() > asked + 1)
    page.until(lambda: page.picture() != before)
