"""Records the energy of one device from its raw sensor, for a comparison with a meter."""

from __future__ import annotations

from collections.abc import Callable

from aipower.calibration.recording import Recording
from aipower.calibration.series import Part
from aipower.energy.device import DeviceEnergy
from aipower.errors import AipowerError, SensorFailedError, SensorGoneError
from aipower.seams import Clock, Sensor

INTERVAL_S = 0.02
"""Dense enough to see when a counter of 100 ms is published: at 10 Hz that is known to 50 ms only, which is 1 % of a
window of 5 s. It is only done for minutes."""
TELL_TICKS = 25
BEGIN_S = 0.5
"""Until then it is being learned when the counter is published, and the energy's instants are rough."""
MAX_GAP_S = 1.0
"""Longer without a reading, and the power between is not guessed."""
SHORTEST_S = 1e-4
"""Energy of less time than this is left out: its length is all rounding."""


def record(
    sensor: Sensor, clock: Clock, seconds: float, progress: Callable[[float], None] = lambda _left_s: None
) -> Recording:
    """What `sensor` sees for `seconds`, on the wall clock as it stands at the beginning.

    Raises:
        AipowerError: It cannot be read.
    """
    energy = DeviceEnergy(sensor.device, sensor.traits, MAX_GAP_S)
    start_s = clock.monotonic_s()
    wall_s = clock.unix_s() - start_s
    parts: list[Part] = []
    tick = 0
    failure = ""
    while (now_s := clock.monotonic_s()) < start_s + seconds:
        if tick % TELL_TICKS == 0:
            progress(start_s + seconds - now_s)
        try:
            deltas = energy.advance(sensor.read()).deltas
        except SensorFailedError as error:
            deltas, failure = (), str(error)
        except SensorGoneError as error:
            raise AipowerError(f"{sensor.device.name} has left: {error}") from error
        for delta in deltas:
            if delta.start_s >= start_s + BEGIN_S:
                _append(parts, Part(delta.start_s + wall_s, delta.end_s + wall_s, delta.energy_uj / 1e6))
        tick += 1
        clock.sleep(max(0.0, start_s + tick * INTERVAL_S - clock.monotonic_s()))
    if not parts:
        raise AipowerError(f"{sensor.device.name} gave no energy in {seconds:g} s{failure and f': {failure}'}")
    return Recording(sensor.device, sensor.facts.driver, tuple(parts))


def _append(parts: list[Part], part: Part) -> None:
    """Add a part after the last one; sums of floats may make them overlap by a hair."""
    start_s = max(part.start_unix_s, parts[-1].end_unix_s) if parts else part.start_unix_s
    if part.end_unix_s - start_s > SHORTEST_S:
        parts.append(Part(start_s, part.end_unix_s, part.energy_j))
