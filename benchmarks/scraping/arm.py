"""One program is scraped in one way, and what that costs is taken down."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scraping.client import TEXT, Scraper, scrape_all
from benchmarks.watching.gauge import memory, usage

LATE = re.compile(rb"^aipower_agent_tick_late_seconds_total (\S+)$", re.MULTILINE)
TICKS = re.compile(rb"^aipower_agent_ticks_total (\S+)$", re.MULTILINE)
RESET_PEAK = "5\n"
"""For clear_refs: proc_pid_clear_refs(5)."""


@dataclass(frozen=True, slots=True)
class Target:
    """A page, and the process that serves it."""

    name: str
    pid: int
    port: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    quiet_s: float
    fresh: int
    """Rounds, `every_s` apart."""
    again: int
    """Rounds back to back."""
    every_s: float = 1.0
    """As often as there is a new snapshot."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What was found."""

    series: int
    plain_bytes: int
    gzip_bytes: int
    fresh_s: Sequence[float]
    again_s: Sequence[float]
    cpu_s: float
    """Of the program for each scrape of a fresh page, beyond what it uses anyway."""
    rss_mb: tuple[float, float, float]
    """Before, after, and at most."""
    late_s: tuple[float, float] | None
    """How late a tick is, without scrapes and with them; None where nobody tells."""


def measure(target: Target, accept: str, scrapers: int, sizes: Sizes) -> Cost:
    """Scrape `target` so; it should have run for a while."""
    before_mb = memory(target.pid).rss_mb
    Path(f"/proc/{target.pid}/clear_refs").write_text(RESET_PEAK)
    quiet_late_s, quiet_share = _quiet(target, sizes.quiet_s)
    late, before = _late(target), usage(target.pid)
    fresh_s = scrape_all(target.port, accept, scrapers, sizes.fresh, sizes.every_s)
    after = usage(target.pid)
    scraped_late_s = _per_tick(late, _late(target))
    used_s = after.cpu_s - before.cpu_s - quiet_share * (after.at_s - before.at_s)
    again_s = scrape_all(target.port, accept, scrapers, sizes.again, 0.0)
    plain, packed = (_once(target, accept, coding) for coding in ("identity", "gzip"))
    rss_mb = before_mb, memory(target.pid).rss_mb, _peak_mb(target.pid)
    late_s = None if quiet_late_s is None or scraped_late_s is None else (quiet_late_s, scraped_late_s)
    cpu_s = used_s / (sizes.fresh * scrapers)
    return Cost(plain[1], plain[0], packed[0], fresh_s, again_s, cpu_s, rss_mb, late_s)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so much of them do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _quiet(target: Target, seconds: float) -> tuple[float | None, float]:
    """Lateness of a tick and cores in use while nobody scrapes."""
    late, before = _late(target), usage(target.pid)
    time.sleep(seconds)
    after = usage(target.pid)
    return _per_tick(late, _late(target)), (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s)


def _late(target: Target) -> tuple[float, float] | None:
    """Lateness of all ticks, and their number; None where the page does not tell."""
    scraper = Scraper(target.port, TEXT, "identity")
    page = scraper.scrape().plain
    scraper.close()
    late, ticks = LATE.search(page), TICKS.search(page)
    return (float(late[1]), float(ticks[1])) if late and ticks else None


def _per_tick(before: tuple[float, float] | None, after: tuple[float, float] | None) -> float | None:
    if before is None or after is None or after[1] <= before[1]:
        return None
    return (after[0] - before[0]) / (after[1] - before[1])


def _once(target: Target, accept: str, coding: str) -> tuple[int, int]:
    """Bytes and series of an answer."""
    scraper = Scraper(target.port, accept, coding)
    scrape = scraper.scrape()
    scraper.close()
    return len(scrape.body), scrape.series


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6
