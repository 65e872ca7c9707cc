"""The page in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from selenium.webdriver import ActionChains, Keys

from aipower.runrecord import PowerSeries, RunRecord
from exporters.html.browser import Tab
from exporters.html.conftest import Opener
from exporters.html.records import WALL_S, bare, device, full, hostile, many_processes, merged, power_of, unknown
from exporters.html.test_hostile import UGLY

RECORDS: dict[str, Callable[[], RunRecord]] = {
    "bare": bare,
    "unknown": unknown,
    "full": full,
    "merged": merged,
    "16 GPUs": lambda: full(16),
    "1000 processes": many_processes,
}
XSS = [text for text in UGLY if "alert" in text or "<" in text]
PHONE, DESKTOP = 360, 1280


@pytest.mark.parametrize("name", list(RECORDS))
def test_page_loads_without_a_complaint(opened: Opener, name: str) -> None:
    tab = opened(RECORDS[name]())
    assert tab.complaints() == []
    assert tab.run("document.documentElement.classList.contains('js')")
    assert tab.run("document.compatMode") == "CSS1Compat"


def test_page_loads_nothing(opened: Opener) -> None:
    tab = opened(full())
    assert tab.run("performance.getEntriesByType('resource').length") == 0


def test_policy_refuses_what_is_not_the_pages_own(opened: Opener) -> None:
    tab = opened(full())
    tab.run(
        "void document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.x = 1'}))"
    )
    assert tab.run("window.x === undefined")
    assert any("Content Security Policy" in line for line in tab.complaints())


@pytest.mark.parametrize("text", XSS)
def test_names_that_are_scripts_do_nothing(opened: Opener, text: str) -> None:
    tab = opened(hostile(text))
    assert tab.complaints() == []
    assert tab.number("document.querySelectorAll('img').length") == 0
    assert text in str(tab.run("document.querySelector('h1').textContent"))


def test_drag_zooms_and_double_click_shows_all(opened: Opener) -> None:
    tab = opened(full())
    assert tab.window() == (0.0, WALL_S)
    tab.drag(0.25, 0.5)
    low, high = tab.window()
    assert low == pytest.approx(WALL_S * 0.25, abs=1.0)
    assert high == pytest.approx(WALL_S * 0.5, abs=1.0)
    tab.double_click()
    assert tab.window() == (0.0, WALL_S)
    assert tab.complaints() == []


def test_keys_zoom_move_and_show_all(opened: Opener) -> None:
    tab = opened(full())
    chart = tab.element("#chart")
    chart.send_keys("+")
    assert tab.window() == (WALL_S * 0.25, WALL_S * 0.75)
    chart.send_keys(Keys.ARROW_RIGHT)
    assert tab.window()[0] == pytest.approx(WALL_S * 0.35)
    chart.send_keys(Keys.HOME)
    assert tab.window() == (0.0, WALL_S * 0.5)
    chart.send_keys(Keys.END)
    assert tab.window() == (WALL_S * 0.5, WALL_S)
    chart.send_keys("-")
    assert tab.window() == (0.0, WALL_S)
    chart.send_keys("++0")
    assert tab.window() == (0.0, WALL_S)


def test_zoom_stays_within_the_run_and_above_two_steps(opened: Opener) -> None:
    tab = opened(full())
    tab.element("#chart").send_keys("+" * 30)
    low, high = tab.window()
    assert high - low == pytest.approx(2 * WALL_S / 600)
    tab.element("#chart").send_keys("-" * 40)
    assert tab.window() == (0.0, WALL_S)


def test_buttons_zoom_for_fingers(opened: Opener) -> None:
    tab = opened(full())
    tab.click("#zoom-in")
    assert tab.window() == (WALL_S * 0.25, WALL_S * 0.75)
    tab.click("#zoom-out")
    assert tab.window() == (0.0, WALL_S)


def test_zoom_outlasts_a_change_of_what_is_shown(opened: Opener) -> None:
    tab = opened(full())
    tab.click("#zoom-in")
    for selector in ('input[value="stacked"]', 'input[value="run"]', "#show-phases", "#theme"):
        tab.click(selector)
        assert tab.window() == (WALL_S * 0.25, WALL_S * 0.75)


def test_stack_is_as_high_as_its_devices_together(opened: Opener) -> None:
    record = full()
    tab = opened(record)
    tab.click('input[value="stacked"]')
    top = "Math.max(...document.documentElement.chart.plot.data.at(-1).filter((w) => w !== null))"
    together = max(
        sum(powers) for powers in zip(*(series.power_w for series in record.power), strict=True) if None not in powers
    )
    assert tab.number(top) == pytest.approx(together)
    assert tab.run("document.querySelector('#show-intervals').disabled")


def test_what_is_not_known_is_a_gap(opened: Opener) -> None:
    tab = opened(full(1))
    data = "document.documentElement.chart.plot.data"
    assert tab.run(f"{data}.slice(1).every((ys) => ys[300] === null && ys[302] === null && ys[303] !== null)")
    tab.click('input[value="stacked"]')
    assert tab.run(f"{data}.slice(1).every((ys) => ys[300] === null && ys[303] !== null)")


def test_interval_is_drawn_as_a_band_in_proportion(opened: Opener) -> None:
    tab = opened(full())
    plot = "document.documentElement.chart.plot"
    assert tab.number(f"{plot}.bands.length") == 4
    low, high, power_w = (tab.number(f"{plot}.data[{index}][100]") for index in (1, 2, 3))
    assert low / power_w == pytest.approx(0.93)
    assert high / power_w == pytest.approx(1.07)
    tab.click("#show-intervals")
    assert tab.number(f"{plot}.bands.length") == 0


def test_legend_hides_a_device_and_shows_one_alone(opened: Opener) -> None:
    tab = opened(full())
    series = "document.documentElement.chart.plot.series.length"
    tab.click("#show-intervals")
    assert tab.number(series) == 5
    first = tab.element("#power .legend tbody button")
    first.click()
    assert tab.number(series) == 4
    assert first.get_attribute("aria-pressed") == "false"
    first.click()
    for expected in (2, 5):
        ActionChains(tab.chrome, duration=50).key_down(Keys.SHIFT).click(first).key_up(Keys.SHIFT).perform()
        assert tab.number(series) == expected


def test_pointer_tells_time_phase_and_power(opened: Opener) -> None:
    record = full()
    tab = opened(record)
    over = tab.element("#chart .u-over")
    ActionChains(tab.chrome, duration=50).move_to_element_with_offset(
        over, -int(over.size["width"] * 0.4), 0
    ).perform()
    readout = tab.element("#readout").text
    assert readout.endswith(("· train", "· train / batch", "· train / batch / optimizer"))
    time_s = float(readout.split()[0])
    assert time_s == pytest.approx(WALL_S * 0.1, abs=1)
    shown = tab.element("#power .legend tbody tr").text
    expected = record.power[0].power_w[int(time_s / record.power[0].step_s + 1e-6)]
    assert expected is not None
    assert f"{expected:.1f} W" in shown


def test_steps_are_read_with_the_keyboard(opened: Opener) -> None:
    tab = opened(full())
    tab.element("#chart").send_keys(Keys.SHIFT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    tab.until(lambda: tab.element("#readout").text != "")
    assert tab.element("#readout").text.split()[1] == "s"


def test_devices_with_steps_of_different_lengths_share_a_chart(opened: Opener) -> None:
    fine, rough = power_of(device(0), 600), power_of(device(1), 7)
    tab = opened(replace(full(), power=[fine, rough]))
    data = "document.documentElement.chart.plot.data"
    assert tab.run(f"{data}.every((values) => values.length === {data}[0].length)")
    assert tab.number(f"{data}[0].at(-1)") == pytest.approx(WALL_S)


@pytest.mark.parametrize(("wall_s", "unit"), [(0.2, "s"), (400.0, "min"), (90_000.0, "h")])
def test_time_has_the_unit_of_the_runs_length(opened: Opener, wall_s: float, unit: str) -> None:
    series = PowerSeries("GPU-0000", wall_s / 2, [100.0, 200.0], [50.0, None])
    tab = opened(replace(full(), wall_s=wall_s, power=[series], phases=[]))
    tab.element("#chart").send_keys(Keys.SHIFT, Keys.ARROW_RIGHT)
    assert tab.element("#readout").text.endswith(f" {unit}")
    assert tab.complaints() == []


def test_run_that_ends_within_a_step_is_drawn_to_its_end(opened: Opener) -> None:
    series = PowerSeries("GPU-0000", 1.0, [100.0, 200.0, 300.0], [None] * 3)
    tab = opened(replace(full(), wall_s=2.5, power=[series]))
    assert tab.window() == (0.0, 2.5)


def test_dark_is_the_systems_choice_until_the_reader_chooses(opened: Opener) -> None:
    opened.tab.emulate(width=DESKTOP, dark=True)
    tab = opened(full())
    page = "getComputedStyle(document.documentElement).backgroundColor"
    dark = tab.run(page)
    tab.click("#theme")
    light = tab.run(page)
    assert _brightness(str(dark)) < 40
    assert _brightness(str(light)) > 240
    tab.click("#theme")
    assert tab.run(page) == dark


def test_chart_takes_the_colours_of_the_theme(opened: Opener) -> None:
    tab = opened(full())
    stroke = "document.documentElement.chart.plot.series.at(-1).stroke()"
    light = tab.run(stroke)
    tab.click("#theme")
    assert tab.run(stroke) != light


def _brightness(color: str) -> float:
    values = [int(part) for part in color.partition("(")[2].rstrip(")").split(",")[:3]]
    return sum(values) / 3


@pytest.mark.parametrize("name", list(RECORDS))
def test_phone_needs_no_scroll_to_the_side(opened: Opener, name: str) -> None:
    opened.tab.emulate(width=PHONE)
    tab = opened(RECORDS[name]())
    tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert tab.number("document.documentElement.scrollWidth") <= PHONE
    assert tab.complaints() == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_long_names_do_not_break_the_layout(opened: Opener, width: int) -> None:
    opened.tab.emulate(width=width)
    tab = opened(hostile("a" * 400))
    assert tab.number("document.documentElement.scrollWidth") <= width


def test_page_without_scripts_shows_all_figures_and_a_still_chart(opened: Opener) -> None:
    opened.tab.emulate(width=DESKTOP, script=False)
    tab = opened(full())
    tab.emulate(width=DESKTOP)
    assert not tab.run("document.documentElement.classList.contains('js')")
    assert tab.shown(".still")
    assert tab.shown("#devices .bar svg")
    assert not tab.shown(".controls")
    assert not tab.shown("#theme")
    assert not tab.shown("#save")


def test_print_shows_the_still_chart_and_the_bars_in_light_colours(opened: Opener) -> None:
    tab = opened(full())
    tab.click("#theme")
    tab.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert tab.shown(".still polyline")
    assert tab.shown("#devices .bar svg")
    assert not tab.shown("#chart")
    assert not tab.shown("#theme")
    assert not tab.shown(".controls")
    assert _brightness(str(tab.run("getComputedStyle(document.documentElement).backgroundColor"))) > 240
    assert tab.run("getComputedStyle(document.documentElement).getPropertyValue('--text').trim()") == "#1c1e21"
    tab.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_printed_page_is_a_pdf_with_the_charts(opened: Opener) -> None:
    with_charts = len(opened(full()).printed())
    printed = opened(replace(full(), power=[], devices=[], processes=[], phases=[])).printed()
    assert printed.startswith(b"%PDF-")
    assert with_charts > 1.5 * len(printed)
    assert opened.tab.run("document.querySelectorAll('details[open]').length") == 0


def test_figures_beside_the_bars_are_read_in_order(opened: Opener) -> None:
    tab = opened(full())
    nodes = tab.chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    names = [str(node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")]
    roles = {str(node.get("role", {}).get("value", "")) for node in nodes if not node.get("ignored")}
    assert {"banner", "main", "contentinfo", "heading", "table", "columnheader", "rowheader", "Figcaption"} <= roles
    first = names.index("9800 J")
    assert names.index("[8.72 .. 10.88 kJ]") > first


def test_each_control_has_a_name_and_can_be_reached(opened: Opener) -> None:
    tab = opened(full())
    nodes = tab.chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    controls = [node for node in nodes if node.get("role", {}).get("value") in {"button", "checkbox", "radio", "link"}]
    assert len(controls) > 10
    assert all(node["name"]["value"] for node in controls)


def test_record_can_be_saved_again(opened: Opener) -> None:
    tab = opened(full())
    tab.run(
        "void (URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return '#'; })"
    )
    tab.click("#save")
    tab.until(lambda: tab.run("window.saved !== undefined") is True)
    assert tab.run("JSON.parse(window.saved).run_id") == full().run_id
    assert str(tab.run("window.saved")).startswith('{"schema":"aipower.run/1"')


def test_eight_gpus_of_600_steps_open_fast(opened: Opener) -> None:
    """By the time that the browser's own thread works, which other programs do not change."""
    tab = opened.tab
    tab.chrome.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    before_s = _worked_s(tab)
    opened(full(8))
    assert tab.number("document.documentElement.chart.plot.data[0].length") == 601
    assert _worked_s(tab) - before_s < 1.5
    tab.chrome.execute_cdp_cmd("Performance.disable", {})


def _worked_s(tab: Tab) -> float:
    found = tab.chrome.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(next(row["value"] for row in found if row["name"] == "TaskDuration"))
