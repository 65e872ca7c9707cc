"""One sensor with all that its device needs on the way to the ledger."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.attribution.usage import merge
from aipower.calibration.apply import true_uj, true_w
from aipower.calibration.default import default_calibration
from aipower.energy.device import DeviceEnergy, Progress
from aipower.energy.window import join
from aipower.errors import SensorError, SensorFailedError, SensorGoneError
from aipower.model import Calibration, EnergyDelta, Fault, Position, Reading, Usage
from aipower.seams import Clock, Sensor, UsageSource

log = logging.getLogger(__name__)

MIN_POWER_WINDOW_S = 0.05
"""Power from a counter over less is mostly the jitter of its updates: 4 % at 10 ms for RAPL (science of C6)."""
POWER_PERIODS = 2
"""Power from a counter is taken over as many periods, since one delta may hold part of its neighbour's update."""
POWER_SIGHTINGS = 10
"""And over as many widths of a sighting: instants that are 0.1 s off must not make 600 W of 400 W."""
MOST_PENDING = 64
"""Windows of usage kept apart while energy is awaited; older ones are joined."""
BEGUN_ANEW = frozenset({"counter_reset", "implausible", "gap"})
"""Faults after which a counter is followed from the value of the reading that has shown them."""
PUBLISHED_PERIODS = 2
"""After so many periods of its updates a counter shows nothing any more that was published before."""
LOOK_AGAIN_S = 1.0
"""Pause between attempts to read a device that has left: it may come back under the same name."""


class PowerStats(Struct, frozen=True, gc=False):
    """Power of a device while it was watched, in watts; None where no reading gave one."""

    latest_w: float | None = None
    peak_w: float | None = None


class Channel:
    """Reads one sensor and keeps what was not attributed yet: energy, and who worked meanwhile."""

    def __init__(
        self,
        sensor: Sensor,
        source: UsageSource | None,
        max_gap_s: float,
        clock: Clock,
        calibration: Calibration | None = None,
    ) -> None:
        self.sensor = sensor
        self.source = source
        self.calibration = calibration or default_calibration(sensor.device.kind)
        self._max_gap_s = max_gap_s
        self.energy = DeviceEnergy(sensor.device, sensor.traits, max_gap_s)
        self.up = False
        self.gone = False
        self._look_again_s = 0.0
        self._believed_from_s = -math.inf
        self.power = PowerStats()
        self._noted_w: float | None = None
        """The reading behind the latest power."""
        self.first: Reading | None = None
        self._counted_to: Reading | None = None
        """The reading up to whose counter energy was found."""
        self._found_s: float | None = None
        self.taken: Sequence[EnergyDelta] = ()
        """What the delta that `take` gave last consists of, uncalibrated: the finest that the sensor shows."""
        self.covered_s = 0.0
        """Seconds whose energy was handed out by `take`; gaps are not in it."""
        self._clock = clock
        self._pending: list[EnergyDelta] = []
        self._usages: list[Usage] = []
        self._counted: EnergyDelta | None = None
        """What the counter gave since the latest power was found from it."""
        self._surprises: set[str] = set()
        self._warnings: list[Fault] = []

    def sample(self) -> list[Fault]:
        """Read the sensor once; what goes wrong comes back as data, a bug of the sensor's too."""
        if self.gone and self._clock.monotonic_s() < self._look_again_s:
            return []
        try:
            reading = self.sensor.read()
            faults = self._take(reading)
        except SensorError as error:
            return self._lose(error)
        except Exception as error:  # noqa: BLE001 - the one place that keeps a bug from taking down other devices
            return self._lose(self._surprise(error))
        self.up, self.gone = True, False
        return faults

    def restart(self, at_s: float, *, forget: bool = False) -> None:
        """Count anew from the first reading that shows what was published after `at_s`.

        What the counter shows between the last one and it is not believed; with `forget` neither is what was found and
        not taken yet.
        """
        self._believed_from_s = at_s + PUBLISHED_PERIODS * self.sensor.traits.update_period_s
        if forget:
            self._pending = []
        self.energy = DeviceEnergy(self.sensor.device, self.sensor.traits, self._max_gap_s)
        self._counted = self._counted_to = None
        self._forget_power()

    def open(self, at_s: float) -> None:
        """Account for nothing before `at_s`."""
        self.energy.open(at_s, self._pending)
        self._pending = []

    def end(self, at_s: float) -> None:
        """The account ends at `at_s`; what is read from now on only tells what was before."""
        self.energy.end(at_s)

    def settled(self, at_s: float) -> bool:
        """True when the energy up to `at_s` is known, or the sensor is down and will not tell."""
        return self.gone or not self.up or self.energy.knows(at_s)

    def close(self, at_s: float) -> None:
        """Complete the account up to `at_s` and drop what lies beyond."""
        self._pending = list(self.energy.close(at_s, self._pending))

    @property
    def position(self) -> Position | None:
        """Where the account stands against the counter; None before the first reading.

        While energy is integrated from power the counter says nothing of it.
        """
        if self.first is None:
            return None
        counted = None if self.energy.method == "integrated" else self._counted_to
        at_s = self._found_s if self._found_s is not None else (counted or self.first).at_s
        return Position(at_s, counted.counter_uj if counted else None, self._true_pending_uj())

    @property
    def edge_uj(self) -> float:
        """Standard error of the account's energy for its edges and for what was not seen, in microjoules."""
        return self.calibration.gain * self.energy.se_uj

    def warnings(self) -> list[Fault]:
        """What the use of the device has shown to be wrong since the last call or read."""
        if not self._warnings:
            return []
        new, self._warnings = self._warnings, []
        return new

    def worked(self, usage: Usage) -> None:
        """Keep `usage` until the energy of its window is known."""
        self._warnings.extend(self.energy.worked(usage, usage.end_s))
        self._usages.append(usage)
        if len(self._usages) > MOST_PENDING:
            self._usages[:2] = [merge(self._usages[:2])]

    def take(self) -> tuple[EnergyDelta, Usage | None] | None:
        """The energy found since the last call and who worked meanwhile; None while there is no energy.

        It is the true energy as far as the calibration tells, so that all that is made of it adds up to that.
        """
        if self.source is None:
            self._warnings.extend(self.energy.worked(None, self._clock.monotonic_s()))
        if not self._pending:
            return None
        pending = self._pending
        span_s = _seconds(pending)
        self.covered_s += span_s
        delta = join(pending)
        energy_uj = true_uj(self.calibration, delta.energy_uj, span_s)
        if energy_uj != delta.energy_uj:
            delta = replace(delta, energy_uj=energy_uj)
        usages = [usage for usage in self._usages if usage.end_s > delta.start_s]
        self.taken, self._pending, self._usages = pending, [], []
        return delta, merge(usages) if usages else None

    def _true_pending_uj(self) -> int:
        """What is pending, calibrated."""
        pending = self._pending
        return true_uj(self.calibration, join(pending).energy_uj, _seconds(pending)) if pending else 0

    def _surprise(self, error: Exception) -> SensorFailedError:
        """The error that nobody foresaw as one that may pass; its traceback is logged the first time."""
        text = f"{type(error).__name__}: {error}"
        if not self._surprises:
            log.debug("%s: unexpected %s", self.sensor.device.id, text, exc_info=error)
        self._surprises.add(type(error).__name__)
        return SensorFailedError("internal", text)

    def _lose(self, error: SensorError) -> list[Fault]:
        """No power until a read works again. A device that has left is one fault, however often it is looked for."""
        was_gone = self.gone
        self.up, self.gone = False, isinstance(error, SensorGoneError)
        self._forget_power()
        now_s = self._clock.monotonic_s()
        self._look_again_s = now_s + LOOK_AGAIN_S
        if was_gone and self.gone:
            return []
        return [Fault(self.sensor.device.id, now_s, error.reason, retry=not self.gone, detail=str(error))]

    def _take(self, reading: Reading) -> list[Fault]:
        if reading.at_s < self._believed_from_s:
            self._note_power(reading.power_w)
            return self.warnings()
        if self.first is None:
            self.first = reading
        progress = self.energy.advance(reading)
        deltas, faults = progress.deltas, progress.faults
        if deltas:
            self._pending.extend(deltas)
            self._found_s = deltas[-1].end_s
        if (deltas or faults or self._counted_to is None) and reading.counter_uj is not None:
            self._follow(reading, progress)
        power_w = reading.power_w if reading.power_w is not None else self._counted_power_w(deltas)
        if power_w != self._noted_w:
            self._note_power(power_w)
        if self._warnings or faults:
            return [*self.warnings(), *faults]
        return []

    def _follow(self, reading: Reading, progress: Progress) -> None:
        """Note up to which counter value energy was found: a step that is held back is not, an anew begun one is."""
        counted = any(delta.method == "counter" for delta in progress.deltas)
        if counted or self._counted_to is None or any(fault.reason in BEGUN_ANEW for fault in progress.faults):
            self._counted_to = reading

    def _note_power(self, power_w: float | None) -> None:
        """Keep what can be believed."""
        if power_w is None or not 0 <= power_w <= self.sensor.traits.max_power_w:
            return
        self._noted_w = power_w
        latest_w, peak_w = true_w(self.calibration, power_w), self.power.peak_w
        if latest_w != self.power.latest_w:
            self.power = PowerStats(latest_w, latest_w if peak_w is None else max(peak_w, latest_w))

    def _forget_power(self) -> None:
        self._noted_w, self.power = None, PowerStats(None, self.power.peak_w)

    def _counted_power_w(self, deltas: Sequence[EnergyDelta]) -> float | None:
        """Power between moves of the counter, by their instants; None until enough of them have been seen."""
        if not deltas:
            return None
        if self._counted is None or deltas[0].start_s > self._counted.end_s:
            self._counted = join(deltas)
        else:
            self._counted = join((self._counted, *deltas))
        counted = self._counted
        if counted.span_s < self._power_window_s():
            return None
        self._counted = None
        return counted.mean_w

    def _power_window_s(self) -> float:
        energy = self.energy
        return max(MIN_POWER_WINDOW_S, POWER_PERIODS * energy.period_s, POWER_SIGHTINGS * energy.sighting_s)


def _seconds(deltas: Sequence[EnergyDelta]) -> float:
    return sum([delta.end_s - delta.start_s for delta in deltas])
