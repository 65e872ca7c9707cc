"""A scripted GPU and a meter on its supply, for whole commands."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aipower.calibration.readings import Sample
from calibration.child import T0_S, WALL_OFFSET_S
from calibration.series import csv, held
from fake_driver.build import library
from fake_driver.presets import rtx4090
from fake_driver.script import Gpu, Machine, write_clock

CHILD = Path(__file__).with_name("child.py")
LIMIT_S = 100.0
CARD = rtx4090(0, idle_w=30.0, shapes=held(), gain=1.044, offset_w=-22.6)
"""The card of the field study that reads nearly nothing at idle."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A machine below a folder, at time 0."""

    folder: Path
    cards: Sequence[Gpu] = (CARD,)

    @property
    def calibrations(self) -> Path:
        """Where results are written by default."""
        return self.folder / "config/aipower/calibration.json"

    @property
    def env(self) -> dict[str, str]:
        machine = Machine(tuple(self.cards), T0_S, WALL_OFFSET_S, clock=self.folder / "clock")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIPOWER_")}
        driver = machine.environment(library(), machine.write(self.folder / "script"))
        return {
            **kept, **driver,
            "AIPOWER_POWERCAP_ROOT": str(self.folder), "XDG_CONFIG_HOME": str(self.folder / "config"),
            "PYTHONPATH": str(CHILD.parents[1]),
        }  # fmt: skip

    def at(self, now_s: float) -> None:
        write_clock(self.folder / "clock", now_s)

    def argv(self, *words: str | Path) -> list[str]:
        return [sys.executable, str(CHILD), str(self.folder), *map(str, words)]

    def call(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*words), env=self.env, capture_output=True, text=True, timeout=LIMIT_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def log(self, card: Gpu = CARD, *, shift_s: float = 0.8, noise_w: float = 0.8) -> Path:
        """The meter's file for the first 125 s of a card."""
        dice = random.Random(2)
        samples = [
            Sample(
                T0_S + WALL_OFFSET_S + end_s + shift_s,
                card.true_energy_j(end_s - 1, end_s) + dice.gauss(0, noise_w),
            )
            for end_s in range(1, 125)
        ]
        path = self.folder / "meter.csv"
        path.write_text(csv(samples))
        return path
