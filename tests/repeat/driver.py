"""`driver.py OPTIONS command...`: a series with these options (a JSON object), as `aipower-run -r` would start it.

The option `fake` lets the fake wrapper stand for the real one, so that a run takes no time and its figures are known.
`looks` gives the cool-down one GPU, which is hot while there is a file `hot` in the working directory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from aipower.run.repeat.cli import World, run_series
from aipower.run.repeat.options import SeriesOptions
from aipower.run.repeat.single import WRAPPER
from aipower.seams import SensorSet, SystemClock

HERE = Path(__file__).parent
FAKE_WRAPPER = (sys.executable, "-P", str(HERE / "fake_wrapper.py"))


class Looks:
    """Sensors of that GPU."""

    def __init__(self) -> None:
        sys.path.insert(0, str(HERE.parent))
        from fakes import GPU, ScriptedSensor  # noqa: PLC0415 - only where it is asked for

        self._gpu = GPU
        self._sensor = ScriptedSensor

    def open(self) -> SensorSet:
        clock: Any = SystemClock()
        return SensorSet([self._sensor(clock, lambda _: (None, 300.0 if Path("hot").exists() else 70.0), self._gpu)])


def main() -> int:
    words: dict[str, Any] = json.loads(sys.argv[1])
    world = World(
        wrapper=FAKE_WRAPPER if words.pop("fake", False) else WRAPPER,
        open_sensors=Looks().open if words.pop("looks", False) else None,
    )
    words["passed"] = tuple(words.get("passed", ()))
    return run_series(SeriesOptions(command=tuple(sys.argv[2:]), **words), "aipower-run", world)


if __name__ == "__main__":
    sys.exit(main())
