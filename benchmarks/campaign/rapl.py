"""A tree of powercap whose counters a thread advances; they are a function of time, so the truth is known."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

DIGITS = 14
BASE_UJ = int(10 ** (DIGITS - 1))
"""All values have so many digits until 900 MJ later: they are written in place, and a reader sees a whole number."""
RANGE_UJ = 10**16
STEP_S = 0.004


@dataclass(frozen=True, slots=True)
class Zone:
    """A package whose power swings."""

    id: str
    name: str
    watts: float
    swing_w: float
    period_s: float
    began_s: float

    def counter_uj(self, at_s: float) -> int:
        """What its counter shows at `at_s`, or a step later."""
        elapsed_s = at_s - self.began_s
        angle = 2 * math.pi * elapsed_s / self.period_s
        swing_j = self.swing_w * self.period_s / (2 * math.pi) * (1 - math.cos(angle))
        used_uj = int((self.watts * elapsed_s + swing_j) * 1e6)
        return BASE_UJ + used_uj

    @property
    def most_w(self) -> float:
        """Its highest power."""
        return self.watts + self.swing_w


def packages() -> Sequence[Zone]:
    """Two packages, counting from now on."""
    now_s = time.monotonic()
    return [
        Zone("intel-rapl:0", "package-0", 80.0, 40.0, 7.0, now_s),
        Zone("intel-rapl:1", "package-1", 65.0, 30.0, 3.0, now_s),
    ]


@dataclass
class Tree:
    """The tree in `folder`, from `with` on."""

    folder: Path
    zones: Sequence[Zone] = field(default_factory=packages)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _open: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        for zone in self.zones:
            place = self.folder / zone.id
            place.mkdir(parents=True)
            (place / "name").write_text(f"{zone.name}\n")
            (place / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
            self._open[zone.id] = os.open(place / "energy_uj", os.O_WRONLY | os.O_CREAT, 0o600)
        self._write()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        for descriptor in self._open.values():
            os.close(descriptor)

    def _run(self) -> None:
        while not self._over.wait(STEP_S):
            self._write()

    def _write(self) -> None:
        for zone in self.zones:
            text = f"{zone.counter_uj(time.monotonic()):0{DIGITS}d}\n"
            os.pwrite(self._open[zone.id], text.encode(), 0)
