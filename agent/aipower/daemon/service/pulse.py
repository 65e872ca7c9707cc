"""What systemd hears of the agent, and when: ready, a line for people, signs of life, a reload, the end."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from aipower.daemon.health import Health
from aipower.daemon.service.notify import READY, STOPPING, WATCHDOG, Notifier, reloading, status
from aipower.model import SUMMED_KINDS, Kind, Snapshot
from aipower.seams import Clock

READY_AFTER_S = 5.0
"""A node whose driver hangs gets ready without a sample after this: systemd would end a service that never is."""
EAGER_S = 0.1
"""Between two looks before the agent is ready."""
STATUS_PERIOD_S = 5.0
"""The least between two lines for people; each look wakes the agent."""
KILO = 1000.0


class View(Struct, frozen=True):
    """What there is to be told. Each must return at once, but `answers`, which may take a second or two."""

    snapshot: Callable[[], Snapshot]
    health: Callable[[], Health]
    answers: Callable[[], bool]
    """True while requests are answered."""


class Pulse:
    """Call `beat` every `pause_s` seconds. One thread may use it.

    The sign of life that the watchdog wants is sent while samples come (or sensors are still being looked for) and
    requests are answered. A GPU that hangs costs its own samples; a sampler that hangs costs the service a restart.
    """

    def __init__(self, notifier: Notifier, view: View, clock: Clock, watchdog_s: float | None = None) -> None:
        self._notifier = notifier
        self._view = view
        self._clock = clock
        self._life_s = None if watchdog_s is None else watchdog_s / 2
        self._started_s = clock.monotonic_s()
        self._life_due_s = self._status_due_s = self._started_s
        self._status = ""
        self._note = ""
        self._ready = False

    def pause_s(self) -> float | None:
        """Seconds until the next beat, None where nobody listens."""
        if not self._notifier.heard:
            return None
        if not self._ready:
            return EAGER_S
        due_s = self._status_due_s if self._life_s is None else min(self._status_due_s, self._life_due_s)
        return max(0.0, due_s - self._clock.monotonic_s())

    def beat(self) -> None:
        """Send what is due."""
        now_s = self._clock.monotonic_s()
        if not self._notifier.heard:
            return
        if not self._ready and (self._view.health().ok or now_s - self._started_s >= READY_AFTER_S):
            self._ready = True
            self._notifier.send(READY)
        if self._ready and now_s >= self._status_due_s:
            self._status_due_s = now_s + STATUS_PERIOD_S
            self._tell()
        if self._life_s is not None and now_s >= self._life_due_s:
            self._life_due_s = now_s + self._life_s
            self._live()

    def reload_begins(self) -> None:
        """The configuration is being read again."""
        if self._ready:
            self._notifier.send(*reloading(self._clock.monotonic_s()))

    def reload_ends(self, note: str) -> None:
        """The reload is over, well or not; `note` stays in the line for people until the next one, "" for nothing."""
        self._note = note
        if self._ready:
            self._notifier.send(READY)
        self._tell()

    def stop(self) -> None:
        """The agent is about to end."""
        self._notifier.send(STOPPING, status("stopping"))

    def _tell(self) -> None:
        text = describe(self._view.snapshot(), self._view.health())
        text = f"{text}; {self._note}" if self._note else text
        if text != self._status:
            self._status = text
            self._notifier.send(status(text))

    def _live(self) -> None:
        health = self._view.health()
        if (health.ok or health.starting) and self._view.answers():
            self._notifier.send(WATCHDOG)


def describe(snapshot: Snapshot, health: Health) -> str:
    """A line for people: `8 GPUs, 2 CPUs, 1 not read; 12.3 kW`."""
    kinds: dict[Kind, str] = {"gpu": "GPU", "cpu": "CPU"}
    counts = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for kind, word in kinds.items()
        if (count := sum(state.device.kind == kind for state in snapshot.devices))
    ]
    down = sum(not state.up for state in snapshot.devices)
    parts = [", ".join([*(counts or ["nothing to measure"]), *([f"{down} not read"] if down else ())])]
    powers_w = [state.power_w for state in snapshot.devices if state.device.kind in SUMMED_KINDS]
    known_w = [power_w for power_w in powers_w if power_w is not None]
    parts += [_power(sum(known_w))] if known_w else []
    parts += [] if health.ok else [health.reason]
    return "; ".join(part for part in parts if part)


def _power(power_w: float) -> str:
    return f"{power_w / KILO:.1f} kW" if power_w >= KILO else f"{power_w:.0f} W"
