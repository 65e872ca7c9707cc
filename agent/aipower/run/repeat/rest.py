"""The pauses of a series: idle power is learned before it, and waited for between its runs.

Sensors are read in a thread: a driver that hangs must not keep us from hearing Ctrl-C.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from aipower.run.console import in_one_line
from aipower.run.repeat.cooldown import LEARN_S, MOST_S, Waited, learn_idle_w, wait_for_idle

if TYPE_CHECKING:
    from aipower.run.repeat.options import CoolDown
    from aipower.run.repeat.powers import OpenSensors
    from aipower.seams import Clock

PATIENCE_S = 10.0
"""A driver that takes this much longer than it should is not asked again."""
THREAD = "aipower-sensors"
"""A process with a thread of this name that hangs ends without waiting for it: see `aipower.run.cli.leave`."""

T = TypeVar("T")


class Aside(Generic[T]):
    """A function that runs in a thread. It gets a function that says whether it is still wanted."""

    def __init__(self, work: Callable[[Callable[[], bool]], T]) -> None:
        self._unwanted = threading.Event()
        self._work = work
        self.result: T | None = None
        self.problem = ""
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """True once it has ended."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Have it end soon; wait for that a moment."""
        self._unwanted.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        try:
            self.result = self._work(self._unwanted.is_set)
        except Exception as error:  # noqa: BLE001 - what breaks here must not cost the series
            self.problem = in_one_line(error)


class Waiter(Protocol):
    """Waits where signals are heard."""

    @property
    def asked(self) -> int:
        """The signal that has asked us to end, or 0."""
        ...

    def rest(self, over: Callable[[], bool]) -> None:
        """Wait until `over` says so, or a signal asks us to end."""
        ...


class Pauses:
    """Cools the devices down as was asked for."""

    def __init__(
        self,
        cool_down: CoolDown,
        waiter: Waiter,
        open_sensors: OpenSensors,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self._cool_down = cool_down
        self._waiter = waiter
        self._open_sensors = open_sensors
        self._clock = clock
        self._tell = tell
        self._idle_w: Mapping[str, float] = {}
        self.note = ""
        """Why there is no cool-down although there should be; empty where all is well."""

    def learn(self) -> None:
        """Measure the idle power, before anything has run."""
        if self._cool_down != "auto":
            return
        found = self._aside(
            lambda stop: learn_idle_w(self._open_sensors, self._clock, stop), "measuring the idle power", LEARN_S
        )
        self._idle_w = found or {}
        if not self._idle_w and not self.note and not self._waiter.asked:
            self.note = (
                "no cool-down: no device's power can be read here; see `aipower doctor`, or --cool-down SECONDS"
            )

    def cool(self, watched: Collection[str] | None) -> Waited:
        """Wait until the devices (of these `watched`, unless it is None) are back at their idle power."""
        if self._cool_down == "off":
            return Waited(0.0, {})
        if not isinstance(self._cool_down, str):
            return self._wait(self._cool_down)
        if not self._idle_w:
            return Waited(0.0, {})
        shown = ""

        def tell(warm: Mapping[str, tuple[float, float]]) -> None:
            nonlocal shown
            shown = cooling_words(warm)

        def work(stop: Callable[[], bool]) -> Waited:
            return wait_for_idle(self._idle_w, self._open_sensors, self._clock, stop, tell, watched)

        waited = self._aside(work, lambda: shown, MOST_S)
        return waited or Waited(0.0, {})

    def _wait(self, seconds: float) -> Waited:
        began_s = self._clock.monotonic_s()
        until_s = began_s + seconds

        def over() -> bool:
            left_s = until_s - self._clock.monotonic_s()
            if left_s > 0:
                self._tell(f"cooling down, {left_s:.0f} s left")
            return left_s <= 0

        self._waiter.rest(over)
        return Waited(self._clock.monotonic_s() - began_s, {})

    def _aside(
        self, work: Callable[[Callable[[], bool]], T], words: str | Callable[[], str], most_s: float
    ) -> T | None:
        """The result of `work`; None where it broke, hung or is not wanted any more."""
        aside = Aside(work)
        until_s = self._clock.monotonic_s() + most_s + PATIENCE_S

        def over() -> bool:
            self._tell(words if isinstance(words, str) else words())
            return aside.over or self._clock.monotonic_s() > until_s

        self._waiter.rest(over)
        if not aside.over:
            aside.stop()
        if not aside.over:
            self._give_up("a driver hangs")
        elif aside.problem:
            self._give_up(aside.problem)
        return aside.result

    def _give_up(self, why: str) -> None:
        self._idle_w = {}
        self.note = f"no cool-down: {why}"


def cooling_words(warm: Mapping[str, tuple[float, float]]) -> str:
    """`cooling down: GPU-0 143 W, idle is 71 W`; the farthest one where there are several."""
    if not warm:
        return "cooling down"
    device, (power_w, idle_w) = max(warm.items(), key=lambda item: item[1][0] - item[1][1])
    more = f", and {len(warm) - 1} more" if len(warm) > 1 else ""
    return f"cooling down: {device} {power_w:.0f} W, idle is {idle_w:.0f} W{more}"
