"""Clocks of an agent that a test sets, or lets sleep: a library in front of the C library, which reads a file."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_name("clock_shim.c")


@dataclass(slots=True)
class Clocks:
    """The wall clock and the clock since boot, as an agent with `variables` sees them."""

    folder: Path
    lines: list[str] = field(default_factory=list)

    @property
    def variables(self) -> dict[str, str]:
        """What the agent needs; compiles the library."""
        shim = self.folder / "clock_shim.so"
        subprocess.run(["cc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", shim, SOURCE], check=True)
        return {"LD_PRELOAD": str(shim), "AIPOWER_TEST_CLOCK": str(self._file)}

    def add(self, at_s: float, *, wall_s: int, boot_s: int = 0) -> None:
        """From `at_s` of CLOCK_MONOTONIC on, so many seconds more."""
        self.lines.append(f"{at_s!r} {wall_s} {boot_s}\n")
        fresh = self._file.with_suffix(".new")
        fresh.write_text("".join(self.lines))
        fresh.replace(self._file)

    @property
    def _file(self) -> Path:
        return self.folder / "clock.steps"
