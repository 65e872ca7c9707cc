"""The live page in a browser, as a person at it sees and uses it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files

from selenium.webdriver import ActionChains

from exporters.html.browser import Tab
from live.serving import Served

PHONE, DESKTOP, HIGH = 360, 1280, 5000

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
READY = "document.body.classList.contains('ready') && document.querySelector('.state').dataset.state !== 'none'"
WALK = """
const [plot, said] = [document.querySelector('#chart .plot'), document.querySelector('#chart output')];
return Array.from({length: arguments[1]}, () => {
  plot.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true, cancelable: true}));
  return said.textContent;
});
"""
AXE_CALL = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}, resultTypes: ['violations']}).then(
  (found) => done(found.violations.map(
    (one) => one.id + ': ' + one.nodes.map((node) => node.target.join(' ') + ' ' + node.failureSummary).join(' | '))),
  (error) => done(['axe failed: ' + error]));
"""


def screen(tab: Tab, width: int, *, dark: bool = False, script: bool = True) -> None:
    """So high that all of a page is in sight: what is not may be left out by it, and is not looked at by axe."""
    tab.emulate(width=width, dark=dark, script=script)
    size = {"width": width, "height": HIGH, "deviceScaleFactor": 1, "mobile": width < DESKTOP}
    tab.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@dataclass(frozen=True, slots=True)
class LivePage:
    """A tab that shows the page of a served world."""

    tab: Tab
    served: Served

    def open(self, view: str = "") -> LivePage:
        """Load it anew, with `view` as the part after #, and wait until it shows figures."""
        self.tab.chrome.get("about:blank")
        self.tab.complaints()
        self.tab.chrome.get(f"{self.served.url}/{view}")
        self.until(lambda: self.run(READY))
        return self

    def run(self, script: str) -> object:
        return self.tab.run(script)

    def number(self, script: str) -> float:
        return self.tab.number(script)

    def count(self, selector: str) -> int:
        return int(self.number(f"document.querySelectorAll({json.dumps(selector)}).length"))

    def text(self, selector: str) -> str:
        """What is written there, whatever of it is in view; "" where there is no such element."""
        return str(self.run(f"(document.querySelector({json.dumps(selector)})?.textContent ?? '').trim()"))

    def texts(self, selector: str) -> list[str]:
        found = self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.textContent.trim())"
        )
        assert isinstance(found, list)
        return [str(one) for one in found]

    def visible(self, selector: str) -> bool:
        """True where such an element takes up room."""
        return bool(
            self.run(f"[...document.querySelectorAll({json.dumps(selector)})].some((one) => one.checkVisibility())")
        )

    def until(self, holds: Callable[[], object]) -> None:
        self.tab.until(lambda: bool(holds()))

    def rows(self, selector: str) -> list[list[str]]:
        """The cells of the rows of a table, as they are written."""
        cells = "[...row.cells].map((cell) => cell.textContent.trim())"
        found = self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((row) => {cells})")
        assert isinstance(found, list)
        return [[str(cell) for cell in row] for row in found]

    def walk(self, key: str, steps: int) -> list[str]:
        """What a reader hears who walks along the chart: the words after each of `steps` keys."""
        found = self.tab.chrome.execute_script(WALK, key, steps)
        return [str(one) for one in found]

    def frame(self) -> None:
        """Return once all that is due has been drawn."""
        script = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        self.tab.chrome.execute_async_script(script)

    def picture(self) -> str:
        """The pixels of the main chart."""
        return str(self.run("document.querySelector('#chart canvas').toDataURL()"))

    def asked_view(self) -> str:
        """The part of the address that says what is looked at."""
        return str(self.run("location.hash"))

    def keys(self, *keys: str) -> None:
        """Press keys where the focus is."""
        ActionChains(self.tab.chrome, duration=20).send_keys(*keys).perform()

    def focused(self) -> str:
        """What has the focus, in a word or two."""
        return str(
            self.run("(({id, className, tagName}) => tagName + '#' + id + '.' + className)(document.activeElement)")
        )

    def violations(self) -> list[str]:
        """What axe finds wrong for people with disabilities; "" for nothing."""
        if not self.run("'axe' in window"):
            self.tab.chrome.execute_script(axe_source())
        found = self.tab.chrome.execute_async_script(AXE_CALL, list(RULES))
        return [str(one) for one in found]

    def well(self) -> list[str]:
        """All that must not happen in a page, and has."""
        watched = self.run("window.watch")
        assert isinstance(watched, dict)
        alerts = ["an alert"] * int(watched["alerts"])
        return [*alerts, *watched["violations"], *watched["errors"], *self.tab.complaints()]

    def foreign(self) -> list[str]:
        """What was loaded from elsewhere."""
        found = self.run("performance.getEntriesByType('resource').map((one) => one.name)")
        assert isinstance(found, list)
        assert found
        return [name for name in found if not str(name).startswith(f"{self.served.url}/")]

    def drag(self, selector: str, from_part: float, to_part: float) -> None:
        """Over an element, from and to these parts of its width."""
        over = self.tab.element(selector)
        width = over.size["width"]
        start, end = (int((part - 0.5) * width) for part in (from_part, to_part))
        actions = ActionChains(self.tab.chrome, duration=50)
        actions.move_to_element_with_offset(over, start, 0).click_and_hold()
        actions.move_to_element_with_offset(over, end, 0).release().perform()


def axe_source() -> str:
    """axe-core (MPL-2.0), as the package of the test's environment brings it."""
    return files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@contextmanager
def hidden(tab: Tab) -> Iterator[None]:
    """Another tab is in front meanwhile; nothing can be asked of the page."""
    chrome = tab.chrome
    own = chrome.current_window_handle
    chrome.switch_to.new_window("tab")
    try:
        yield
    finally:
        chrome.close()
        chrome.switch_to.window(own)
