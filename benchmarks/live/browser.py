"""A real Chromium with the page in it, and how the page does there."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,900",
)
WATCH = """
window.bench = { long: [], frames: [], shown: null };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.bench.long.push([entry.startTime, entry.duration]);
}).observe({ type: "longtask", buffered: true });
new MutationObserver((_, observer) => {
  if (!document.querySelector("#devices canvas")) return;
  observer.disconnect();
  requestAnimationFrame(() => { window.bench.shown = performance.now(); });
}).observe(document, { childList: true, subtree: true });
window.benchFrames = (span_ms) => new Promise((done) => {
  const frames = [], began = performance.now();
  let last = began;
  const frame = (now) => {
    frames.push(now - last);
    last = now;
    if (now - began < span_ms) requestAnimationFrame(frame); else done(frames.slice(1));
  };
  requestAnimationFrame(frame);
});
"""
"""Put into the page before its own scripts."""
FIRST_S = 60.0
SMOOTH_MS = 1000 / 60 * 1.5
"""A frame that takes longer has missed one."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How the page came up."""

    paint_ms: float
    """First contentful paint."""
    figures_ms: float
    """Until the first cards of devices are drawn."""
    longest_ms: float
    """Longest task until then, and for 3 s after."""


@dataclass(frozen=True, slots=True)
class Watching:
    """How it went on."""

    busy: float
    """Share of its main thread."""
    script: float
    longest_ms: float
    """Longest task; 0 where none took 50 ms."""
    frame_ms: float
    """Median."""
    frame_p99_ms: float
    late_frames: float
    """Share of the frames that came late."""
    heap_bytes: float


class Page:
    """The live page in a tab."""

    def __init__(self, chrome: Chrome) -> None:
        self._chrome = chrome
        chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        chrome.execute_cdp_cmd("Performance.enable", {})

    def open(self, url: str) -> Opening:
        """Load it, and look at how it comes up.

        Raises:
            TimeoutError: No figures come.
        """
        self._chrome.get(url)
        until_s = time.monotonic() + FIRST_S
        while self._run("window.bench.shown") is None:
            if time.monotonic() > until_s:
                raise TimeoutError("the page shows no figures")
            time.sleep(0.05)
        time.sleep(3.0)
        paint = self._run("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN")
        return Opening(float(paint), float(self._run("window.bench.shown")), self._longest())

    def leave(self) -> None:
        """Close the page; the browser stays."""
        self._chrome.get("about:blank")

    def watch(self, seconds: float) -> Watching:
        """Look at it for a while: at its work first, then at its frames, for to count these is work too."""
        self._run("window.bench.long.splice(0).length")
        before, began_s = self._metrics(), time.monotonic()
        time.sleep(seconds)
        after, span_s = self._metrics(), time.monotonic() - began_s
        longest_ms = self._longest()
        frames = [float(one) for one in self._frames(seconds)]
        return Watching(
            busy=(after["TaskDuration"] - before["TaskDuration"]) / span_s,
            script=(after["ScriptDuration"] - before["ScriptDuration"]) / span_s,
            longest_ms=longest_ms,
            frame_ms=statistics.median(frames),
            frame_p99_ms=sorted(frames)[int(0.99 * (len(frames) - 1))],
            late_frames=sum(frame > SMOOTH_MS for frame in frames) / len(frames),
            heap_bytes=after["JSHeapUsedSize"],
        )

    def _longest(self) -> float:
        return float(self._run("Math.max(0, ...window.bench.long.map(([, duration]) => duration))"))

    def _frames(self, seconds: float) -> Any:  # noqa: ANN401 - as the driver has it
        self._chrome.set_script_timeout(seconds + FIRST_S)
        return self._chrome.execute_async_script(
            "const done = arguments[1]; window.benchFrames(arguments[0]).then(done);", 1000 * seconds
        )

    def _metrics(self) -> dict[str, float]:
        found = self._chrome.execute_cdp_cmd("Performance.getMetrics", {})
        return {one["name"]: one["value"] for one in found["metrics"]}

    def _run(self, script: str) -> Any:  # noqa: ANN401 - as the driver has it
        return self._chrome.execute_script(f"return {script}")


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A browser with a fresh profile in `folder`.

    Raises:
        FileNotFoundError: It is not installed.
    """
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        raise FileNotFoundError("needs Chromium and its driver: apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield Page(chrome)
    finally:
        chrome.quit()
