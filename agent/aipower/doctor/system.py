"""Checks of the software below: Python, kernel, clocks."""

from __future__ import annotations

import re
import time
from typing import Final

from aipower.doctor.finding import Result
from aipower.doctor.text import plural, read_text
from aipower.doctor.world import ClockFacts, World

OLDEST_PYTHON: Final = (3, 11, 0)
SANE_UNIX_S: Final = (1735689600.0, 4102444800.0)
"""2025-01-01, before which there was no aipower, and 2100-01-01."""
SLOW_SOURCES: Final = frozenset({"hpet", "acpi_pm", "jiffies", "refined-jiffies"})
"""Clock sources of Linux that are read over a bus or tick with the timer; the kernel takes them after a fault."""
MAX_READ_COST_S: Final = 5e-6
"""Fifty times what a read through the vDSO takes from Python."""
MAX_RESOLUTION_S: Final = 1e-3
"""RAPL's counters move each millisecond."""
SLEPT_S: Final = 1.0


def python(world: World) -> Result:
    """The versions of Python and aipower."""
    shown = ".".join(map(str, world.python))
    found = f"aipower {world.installed('aipower') or '(not installed)'}, Python {shown} ({world.executable})"
    if world.python < OLDEST_PYTHON:
        return Result(
            "fail", found, "install Python 3.11 or newer and aipower into it: python3.11 -m pip install aipower"
        )
    return Result("ok", found)


def kernel(world: World) -> Result:
    """Kernel, distribution and whether this is a virtual machine; never a reason to fail."""
    release = read_text(world.proc / "sys/kernel/osrelease") or "of unknown release"
    pretty = re.search(r'^PRETTY_NAME="?([^"\n]*)', read_text(world.etc / "os-release"), re.MULTILINE)
    parts = [f"Linux {release}", world.architecture, pretty[1] if pretty else "unknown distribution"]
    cpuinfo = read_text(world.proc / "cpuinfo")
    cpus = len(re.findall(r"^processor\s*:", cpuinfo, re.MULTILINE))
    if cpus:
        parts.append(plural(cpus, "CPU"))
    if re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.MULTILINE):
        parts.append("a virtual machine")
    return Result("ok", ", ".join(parts))


def clock(world: World) -> Result:
    """Whether the clocks are fine, cheap and right."""
    facts = world.clocks(world.clock)
    source = read_text(world.sysfs / "devices/system/clocksource/clocksource0/current_clocksource")
    found = _shown(facts, source)
    low_s, high_s = SANE_UNIX_S
    if not low_s <= facts.unix_s < high_s:
        return Result("fail", f"the wall clock is wrong; {found}", "sudo timedatectl set-ntp true")
    if source in SLOW_SOURCES or facts.read_cost_s > MAX_READ_COST_S:
        return Result(
            "warn",
            f"time is slow to read, so that watching costs more; {found}",
            "see why the kernel left the tsc: sudo dmesg | grep -iE 'tsc|clocksource'",
        )
    if facts.resolution_s > MAX_RESOLUTION_S:
        remedy = "boot a kernel with high resolution timers (CONFIG_HIGH_RES_TIMERS=y, no highres=off)"
        return Result("warn", f"the clock is too coarse for short runs; {found}", remedy)
    return Result("ok", found)


def _shown(facts: ClockFacts, source: str) -> str:
    date = _date(facts.unix_s)
    parts = [
        f"source {source or 'unknown'}",
        f"resolution {facts.resolution_s * 1e9:.0f} ns",
        f"a read takes {facts.read_cost_s * 1e9:.0f} ns",
        f"wall clock {date}",
    ]
    if facts.slept_s >= SLEPT_S:
        parts.append(f"suspended for {facts.slept_s:.0f} s since boot (not measured)")
    return ", ".join(parts)


def _date(unix_s: float) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_s))
    except (OverflowError, ValueError, OSError):
        return f"{unix_s:g} s after 1970"
