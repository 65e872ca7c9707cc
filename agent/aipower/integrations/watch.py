"""What the callbacks of training frameworks have in common: stages, one after another, and a measurement around them.

Frameworks validate in the middle of training. The stages here are no phases within each other, so that training and
validation are seen apart: while one goes on, the one around it is interrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipower.phases import Phase
from aipower.phases.channel import our_pipe
from aipower.phases.sync import Sync

if TYPE_CHECKING:
    from aipower.measuring import Measure


class Watch:
    """The stages of one training, and its measurement where there is to be one."""

    def __init__(self, name: str, *, sync: Sync, measure: bool | None, sensors: str) -> None:
        """`measure` None measures where no `aipower-run` does."""
        self.measurement: Measure | None = None
        """The last one; None if there has been none."""
        self._name = name
        self._sync: Sync = sync
        self._measure = measure
        self._sensors = sensors
        self._stages: list[str] = []
        self._phase: Phase | None = None
        self._going: Measure | None = None

    def begin(self) -> None:
        """The training begins.

        Raises:
            AipowerError: A sensor that was named is not to be had.
        """
        if self._going is not None or not (our_pipe() is None if self._measure is None else self._measure):
            return
        from aipower.measuring import measure  # noqa: PLC0415 - 0.1 s that nobody needs under `aipower-run`

        self._going = measure(self._name, sync=self._sync, sensors=self._sensors).__enter__()

    def enter(self, stage: str) -> None:
        """`stage` begins; the one that was going on waits for its end."""
        self._pause()
        self._stages.append(stage)
        self._resume()

    def leave(self, stage: str) -> None:
        """`stage` and all within it have ended; the one around it goes on. Nothing happens if it had not begun."""
        if stage in self._stages:
            self._pause()
            del self._stages[self._stages.index(stage) :]
            self._resume()

    def is_in(self, stage: str) -> bool:
        """True from the begin of `stage` to its end."""
        return stage in self._stages

    def end(self) -> Measure | None:
        """All has ended; the measurement if this call has ended one."""
        self._pause()
        self._stages.clear()
        ended, self._going = self._going, None
        if ended is not None:
            ended.__exit__(None)
            self.measurement = ended
        return ended

    def _pause(self) -> None:
        if self._phase is not None:
            self._phase.__exit__()
            self._phase = None

    def _resume(self) -> None:
        if self._stages:
            self._phase = Phase(self._stages[-1], self._sync).__enter__()
