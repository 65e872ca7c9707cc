"""What the agent's ticks and windows leave in the history."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from aipower.books.ledger import Ledger
from aipower.daemon.sampling.pace import Pace, Schedule
from aipower.daemon.sampling.tick import NoErrands, Tick
from aipower.daemon.sites.chronicle import Chronicle
from aipower.history.book import HistoryBook
from aipower.meter import Meter
from aipower.model import Calibration
from aipower.seams import SensorSet
from fakes import CPU, GPU, FakeClock, FakeDirectory, ScriptedSensor

NAP_S = 60.0


class Machine:
    """A GPU and a processor that draw 100 W; the GPU may be down, and the machine may sleep."""

    def __init__(self, calibrations: Mapping[str, Calibration] | None = None) -> None:
        self.clock = FakeClock(1.0)
        self.asleep_s = 0.0
        self.history = HistoryBook()
        self.ledger = Ledger(FakeDirectory())
        sensors = [ScriptedSensor(self.clock, self._read, device) for device in (GPU, CPU)]
        self.meter = Meter(SensorSet(sensors), self.ledger, self.clock, calibrations=calibrations or {})
        self.meter.tell(Chronicle(self.history, calibrations or {}))
        self.schedule = Schedule(0.5, self.clock)
        self.tick = Tick(
            self.meter,
            self.ledger,
            Pace(0.5, 5.0),
            self.clock,
            NoErrands(),
            recorder=self.history,
            asleep_s=lambda: self.asleep_s,
        )

    def _read(self, at_s: float) -> tuple[int, float]:
        return round(100e6 * at_s), 100.0

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick.run(self.schedule, late=lambda: False)
            self.clock.sleep(0.5)


def test_each_tick_leaves_the_power_of_each_device() -> None:
    machine = Machine()
    machine.run(60)
    ticks = machine.history.ticks(0.0, [GPU.id, CPU.id])
    assert ticks.at_s == tuple(pytest.approx(1.0 + 0.5 * n) for n in range(60))
    assert all(ticks.power_w[device.id] == (100.0,) * 60 for device in (GPU, CPU))


def test_windows_leave_exactly_the_energy_of_the_ledger() -> None:
    machine = Machine()
    machine.run(60)
    for device in (GPU, CPU):
        chart = machine.history.chart([device.id], "component", 0.0, 40.0, 1.0)
        drawn_j = sum(w for w in chart.mean_w if w is not None)
        window = machine.history.latest()[device.id]
        assert window.mean_w == pytest.approx(100.0, rel=1e-3)
        parts_w = window.idle_w + window.context_w + window.active_w + window.unattributed_w
        assert parts_w == pytest.approx(window.mean_w, rel=1e-9)
        posted_j = machine.ledger.totals(device.id).energy_uj / 1e6
        assert posted_j - 110 <= drawn_j <= posted_j + 1


def test_a_calibrated_device_has_the_errors_of_its_meter() -> None:
    machine = Machine({GPU.id: Calibration(gain_se=0.01, source="meter")})
    machine.run(30)
    half_w = machine.history.power_half_w(GPU.id, 100.0)
    assert half_w == pytest.approx(1.96, rel=1e-3)
    assert machine.history.power_half_w(CPU.id, 100.0) == pytest.approx(5.0, rel=1e-3)


def test_what_was_before_a_suspension_is_so_much_longer_ago() -> None:
    machine = Machine()
    machine.run(20)
    last_s = machine.clock.monotonic_s() - 0.5
    machine.asleep_s += NAP_S
    machine.run(20)
    at_s = machine.history.ticks(-2 * NAP_S, [GPU.id]).at_s
    before = [at for at in at_s if at < 0]
    assert before[-1] == pytest.approx(last_s - NAP_S)
    assert at_s[-1] == pytest.approx(machine.clock.monotonic_s() - 0.5)
