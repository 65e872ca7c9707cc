"""`python -m benchmarks.soak [--minutes 20] [--interval-s 0.05]`: exits with 1 if anything grows or is wrong."""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.campaign.node import Node, Wish, node, wait_until
from benchmarks.campaign.pages import DEVICE, Series, broken_laws, by_device
from benchmarks.campaign.runs import Runs
from benchmarks.campaign.scraper import Scraper
from benchmarks.campaign.tracker import Tracker
from benchmarks.soak.bustle import Bustle
from benchmarks.soak.gauges import Gauge, look
from benchmarks.soak.slope import BLOCKS, slope

GPUS, EACH = 8, 8
LOOK_S = 10.0
MOST_LOOKS = 60
"""Of a short soak too: for a trend there must be enough of them."""
SCRAPE_S = 1.0
WARM_UP = 0.55
"""Share of the time in which caches fill and accounts reach their bounds: idle levels remember ten minutes."""
MOST_MB_PER_H = 1.0
MOST_MORE = 4
"""Descriptors and threads may be so many more at the end: a scrape, a run and a reload may be under way."""
LOST_EACH_S, LOST_FOR_S = 90.0, 12.0
SHOWN = 30


@dataclass(slots=True)
class Soak:
    """What was seen."""

    gauges: list[Gauge] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    slowest_s: float = 0.0
    page: Series = field(default_factory=dict)


def main(argv: Sequence[str]) -> int:
    """1 if anything grows or is wrong, else 0."""
    parser = argparse.ArgumentParser(prog="benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--interval-s", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        seen = soak(Path(name), 60 * options.minutes, options.interval_s, options.seed)
    wrong = [*seen.wrong, *growth(seen.gauges)]
    print("\n".join([*report(seen, options.interval_s), f"wrong: {len(wrong)}", *wrong[:SHOWN]]))
    return 1 if wrong else 0


def soak(folder: Path, seconds: float, interval_s: float, seed: int) -> Soak:
    """An agent's life of so many seconds, with all that a node has going on."""
    starts = range(45, int(seconds) + 60, int(LOST_EACH_S))
    flags = ["--interval-s", str(interval_s), "--process-interval-s", str(max(1.0, interval_s))]
    flags += [
        "--retention-s",
        "15",
        "--flush-interval-s",
        "2",
        "--max-runs",
        "50",
        "--socket",
        str(folder / "agent.sock"),
    ]
    lost_s = [(float(start), start + LOST_FOR_S) for start in starts]
    seen = Soak()
    with ExitStack() as stack:
        made = stack.enter_context(node(folder, Wish(GPUS, EACH, flags, lost_s)))
        made.start()
        scraper = stack.enter_context(Scraper(made.port, SCRAPE_S))
        wait_until("the first page", lambda: _new_page(seen, scraper, Tracker()))
        bustle = stack.enter_context(Bustle(made, random.Random(seed)))
        runs = stack.enter_context(Runs(folder / "runs", made.environ, seed, longest_s=1.0, pause_s=0.5))
        _watch(made, scraper, seen, seconds)
        seen.done.update({**bustle.done, **{f"runs {word}": count for word, count in runs.told.items()}})
        seen.wrong += [*runs.wrong, *scraper.wrong]
        seen.slowest_s = scraper.slowest_s
        code = made.end(signal.SIGTERM)
        seen.wrong += [f"exit code {code}"] if code else []
        seen.wrong += [f"a traceback: {made.log()[-3000:]}"] if "Traceback" in made.log() else []
        seen.done["log lines"] = len(made.log().splitlines())
    return seen


def _watch(made: Node, scraper: Scraper, seen: Soak, seconds: float) -> None:
    """Look now and then until the time is over or the agent is."""
    tracker, began_s = Tracker(), time.monotonic()
    look_s = min(LOOK_S, seconds / MOST_LOOKS)
    while (passed_s := time.monotonic() - began_s) < seconds:
        time.sleep(max(0.0, (len(seen.gauges) + 1) * look_s - passed_s))
        if made.agent is None or made.agent.poll() is not None:
            seen.wrong.append(f"the agent has ended by itself: {made.log()[-3000:]}")
            return
        _new_page(seen, scraper, tracker)
        seen.gauges.append(look(made.agent.pid, seen.page, began_s))
        if look_s == LOOK_S:
            print(seen.gauges[-1].line, flush=True)


def _new_page(seen: Soak, scraper: Scraper, tracker: Tracker) -> bool:
    """Judge the pages since the last look; True once there was one with all devices."""
    for page in scraper.take():
        seen.pages += 1
        seen.page = page.series
        seen.wrong += tracker.see(page.series) + broken_laws(page.series)
    return len(by_device(seen.page, DEVICE)) >= GPUS


def settled(gauges: Sequence[Gauge]) -> Sequence[Gauge]:
    """Those after the warm-up."""
    return gauges[round(WARM_UP * len(gauges)) :]


def growth(gauges: Sequence[Gauge]) -> list[str]:
    """What has grown beyond noise."""
    late = settled(gauges)
    if len(late) < BLOCKS:
        return ["too few looks for a trend"]
    found = []
    memory = slope([gauge.at_s / 3600 for gauge in late], [gauge.anonymous_mb for gauge in late])
    if memory.low > MOST_MB_PER_H:
        found.append(f"memory grows by {memory.value:.1f} ± {memory.half_width:.1f} MB per hour")
    half = len(late) // 2
    for name in ("descriptors", "threads"):
        before, after = (min(getattr(gauge, name) for gauge in part) for part in (late[:half], late[half:]))
        if after > before + MOST_MORE:
            found.append(f"{name}: never fewer than {before} at first, than {after} in the end")
    return found


def report(seen: Soak, interval_s: float) -> list[str]:
    """Lines for people."""
    first, last, late = seen.gauges[0], seen.gauges[-1], settled(seen.gauges)
    span_s, ticks = last.at_s - first.at_s, max(1.0, last.ticks - first.ticks)
    cpu, late_ms = (last.cpu_s - first.cpu_s) / span_s, 1000 * (last.late_s - first.late_s) / ticks
    lines = [
        f"{last.at_s / 60:.1f} min, {interval_s} s: {last.ticks:.0f} ticks, as in {last.ticks / 3600:.1f} h at 1 s",
        f"CPU {100 * cpu:.1f} % of a core; ticks {late_ms:.2f} ms late on average, {last.missed:.0f} missed",
        f"{seen.pages} pages, slowest {seen.slowest_s:.2f} s; {dict(seen.done)}",
    ]
    if len(late) >= BLOCKS:
        lines += [_trend(name, late, span_s / ticks) for name in ("resident_mb", "anonymous_mb")]
        for name in ("descriptors", "threads"):
            values = [getattr(gauge, name) for gauge in late]
            lines.append(f"{name} after warm-up: {min(values)} to {max(values)}")
    return lines


def _trend(name: str, late: Sequence[Gauge], tick_s: float) -> str:
    values = [getattr(gauge, name) for gauge in late]
    trend = slope([gauge.at_s / 3600 for gauge in late], values)
    return (
        f"{name} after warm-up: {values[0]:.2f} to {values[-1]:.2f}, most {max(values):.2f}; "
        f"{trend.value:+.2f} ± {trend.half_width:.2f} per hour, {tick_s * trend.value:+.3f} per 3600 ticks"
    )
