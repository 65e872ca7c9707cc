"""A processor's energy counter that runs while the agent reads it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from aipower.sensors.rapl.zone import modulus_uj
from sensors.powercap import put_zone

ZONE = "intel-rapl:0"
STEP_S = 0.02


class Player:
    """Plays `power_w` into the counter of one package, from a thread, as the kernel shows it.

    `used_uj` is the truth, in microjoules since the beginning.
    """

    def __init__(self, root: Path, range_uj: int, *, start_uj: int = 0, power_w: float = 0.0) -> None:
        self.zone = put_zone(root / ZONE, "package-0", range_uj=range_uj)
        self.root = root
        self.modulus_uj = modulus_uj(range_uj) or 0
        self.power_w = power_w
        self.used_uj = 0
        self._start_uj = start_uj
        self._file = os.open(self.path, os.O_RDWR)
        self._lock = threading.Lock()
        self._played_s = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.play()

    @property
    def path(self) -> Path:
        """The counter's file."""
        return self.zone / "energy_uj"

    @property
    def variables(self) -> dict[str, str]:
        """What an agent needs to read it."""
        return {"AIPOWER_POWERCAP_ROOT": str(self.root)}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        os.close(self._file)

    def draw(self, power_w: float) -> None:
        """Another power from now on."""
        self.play()
        self.power_w = power_w

    def use(self, energy_uj: int) -> None:
        """So much is used at once."""
        self.play(energy_uj)

    def begin_anew(self) -> None:
        """The counter shows 0 and goes on from there."""
        with self._lock:
            self._start_uj = -self.used_uj
        self.play()

    def forbid(self, *, by_mode: bool) -> None:
        """It may not be read any more, not even by a descriptor of before: another file is in its place.

        Without `by_mode` that is a folder, which not even root can read.
        """
        with self._lock:
            self._replace(0o000)
        if not by_mode:
            self.path.unlink()
            self.path.mkdir()

    def allow(self) -> None:
        """It may be read."""
        if self.path.is_dir():
            self.path.rmdir()
        with self._lock:
            self._replace(0o444)

    def play(self, energy_uj: int = 0) -> None:
        """Show what was used by now, and `energy_uj` more."""
        with self._lock:
            now_s = time.monotonic()
            self.used_uj += round(self.power_w * (now_s - self._played_s) * 1e6) + energy_uj
            self._played_s = now_s
            self._show()

    def _show(self) -> None:
        """Written in place and at once: a reader never meets half of it."""
        os.pwrite(self._file, f"{(self._start_uj + self.used_uj) % self.modulus_uj:020}\n".encode(), 0)

    def _replace(self, mode: int) -> None:
        os.close(self._file)
        fresh = self.path.with_suffix(".new")
        self._file = os.open(fresh, os.O_RDWR | os.O_CREAT, 0o600)
        self._show()
        fresh.chmod(mode)
        fresh.replace(self.path)

    def _run(self) -> None:
        while not self._stopped.wait(STEP_S):
            self.play()
