"""A machine that a test makes ill while the real agent runs, and the laws that hold on every page whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from daemon.agents import LIMIT_S, Agent, Series, agent, total
from fake_driver.build import library
from fake_driver.script import FaultRule, Gpu, Machine

FAST = ("--interval-s", "0.2", "--process-interval-s", "1")
RECOVERY_S = 10.0
"""What is promised."""
ALLOWANCE_S = 10.0
"""What a machine that is busy with other tests may add to that."""
LAG_S = 4.0
"""A page shows what was attributed last, up to a window and a tick ago; the rest is for a busy machine."""

UP, POWER = "aipower_sensor_up", "aipower_device_power_watts"
ENERGY, FAULTS = "aipower_device_energy_joules_total", "aipower_agent_faults_total"
COMPONENT, PROCESS = "aipower_device_component_energy_joules_total", "aipower_process_energy_joules_total"
FOLDED = "aipower_process_folded_energy_joules_total"


def unloaded(code: int) -> tuple[FaultRule, ...]:
    """The rules of a driver that answers `code` to all but a shutdown."""
    return tuple(FaultRule(calls, code=code) for calls in ("nvmlInit*", "nvmlSystem*", "nvmlDevice*", "nvmlGpm*"))


def broken(code: int) -> tuple[FaultRule, ...]:
    """The rules of a GPU that answers `code` to everything."""
    return (FaultRule("*", code=code),)


class Rack:
    """A machine with the fake driver, whose script can be replaced while the driver is in use."""

    def __init__(self, folder: Path, *gpus: Gpu, **changes: Any) -> None:
        self.folder = folder
        self.machine = Machine(gpus, live=True, **changes)
        self._path = self.machine.write(folder / "machine.txt")

    @property
    def variables(self) -> dict[str, str]:
        """What an agent needs to see this machine."""
        return self.machine.environment(library("full"), self._path)

    def now_s(self) -> float:
        """The machine's time."""
        return self.machine.now_s()

    def becomes(self, *gpus: Gpu, **changes: Any) -> float:
        """Other GPUs (the same where none are named) and other properties from now on; the monotonic time."""
        self.machine = replace(self.machine, gpus=gpus or self.machine.gpus, **changes)
        self.machine.write(self._path)
        return time.monotonic()

    def true_j(self, gpu: Gpu, start_s: float, end_s: float | None = None) -> float:
        """What `gpu` has used from `start_s` to `end_s` (now), in the machine's time."""
        return gpu.true_energy_j(start_s, self.now_s() if end_s is None else end_s)


@dataclass(slots=True)
class Witness:
    """Reads the pages of an agent; each must keep the laws."""

    agent: Agent
    before: Series = field(default_factory=dict)

    def look(self) -> Series:
        """The page now."""
        series = self.agent.series()
        assert series, f"the agent does not answer:\n{self.agent.log.read_text()}"
        assert_nothing_is_negative(series)
        assert_no_counter_fell(self.before, series)
        assert_parts_sum(series)
        self.before = series
        return series

    def until(self, fact: Callable[[Series], bool], within_s: float = LIMIT_S) -> Series:
        """The first page of which `fact` is true."""
        deadline_s = time.monotonic() + within_s
        while not fact(series := self.look()):
            assert time.monotonic() < deadline_s, f"{self.agent.page()}\n{self.agent.log.read_text()}"
            assert self.agent.process.poll() is None, self.agent.log.read_text()
            time.sleep(0.05)
        return series

    def recovers(self, fact: Callable[[Series], bool], since_s: float) -> Series:
        """The first page of which `fact` is true, soon enough after the cause went away at `since_s`."""
        page = self.until(fact, since_s + RECOVERY_S + ALLOWANCE_S - time.monotonic())
        print(f"recovered after {time.monotonic() - since_s:.1f} s")
        return page

    def rest(self, seconds: float) -> Series:
        """The page after so long; those in between are looked at too."""
        until_s = time.monotonic() + seconds
        return self.until(lambda _: time.monotonic() >= until_s)

    def ends_well(self) -> str:
        """The agent's log, after it was told to end and did."""
        self.agent.process.terminate()
        assert self.agent.process.wait(LIMIT_S) == 0
        log = self.agent.log.read_text()
        assert "Traceback" not in log
        assert "leaving without it" not in log
        return log


def assert_nothing_is_negative(series: Series) -> None:
    assert {key: value for key, value in series.items() if not value >= 0} == {}


def assert_no_counter_fell(before: Series, series: Series) -> None:
    """Series of processes may leave; no other counter may, and none may fall."""
    for (name, labels), value in before.items():
        if name.endswith("_total") and (name != PROCESS or (name, labels) in series):
            assert series[name, labels] >= value, (name, labels)


def assert_parts_sum(series: Series) -> None:
    """The parts of each device are its energy, and what processes have used is in them."""
    for device in devices(series, ENERGY):
        whole = total(series, ENERGY, device=device)
        assert total(series, COMPONENT, device=device) == pytest.approx(whole, rel=1e-6)
        for part in ("context", "active"):
            split = sum(total(series, name, device=device, component=part) for name in (PROCESS, FOLDED))
            assert split == pytest.approx(total(series, COMPONENT, device=device, component=part), rel=1e-6, abs=1e-5)


def devices(series: Series, name: str) -> set[str]:
    """The devices that have a series of `name`."""
    return {dict(labels)["device"] for found, labels in series if found == name}


def up(*ids: str) -> Callable[[Series], bool]:
    """True of a page on which all of `ids` can be read and have a power."""
    return lambda series: all(total(series, UP, device=id_) == 1 for id_ in ids) and {*ids} <= devices(series, POWER)


def down(*ids: str) -> Callable[[Series], bool]:
    """True of a page on which none of `ids` can be read; then none has a power either."""

    def fact(series: Series) -> bool:
        known = {*ids} <= devices(series, UP)
        return known and not any(total(series, UP, device=id_) or id_ in devices(series, POWER) for id_ in ids)

    return fact


def faulty(device: str, reason: str, times: int = 1) -> Callable[[Series], bool]:
    """True of a page on which `device` has had so many faults."""
    return lambda series: total(series, FAULTS, device=device, reason=reason) >= times


def energy_j(series: Series, gpu: Gpu | str) -> float:
    """The counter of a device."""
    return total(series, ENERGY, device=gpu if isinstance(gpu, str) else gpu.uuid)


def grown(before: Series, series: Series, name: str, **labels: str) -> float:
    """By how much the sum of series has risen."""
    return total(series, name, **labels) - total(before, name, **labels)


@contextmanager
def watched(
    rack: Rack, *flags: str, env: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
) -> Iterator[Witness]:
    """The real agent on the machine of `rack`."""
    with agent(rack.folder, *(flags or FAST), env={**rack.variables, **(env or {})}, prefix=prefix) as running:
        yield Witness(running)
