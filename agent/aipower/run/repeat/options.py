"""What was asked for with `aipower-run -r N`."""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

from aipower.errors import UsageError

MOST_REPETITIONS = 10_000
MOST_SECONDS = 3600.0
"""A longer pause is a slip of the finger."""

CoolDown = Literal["auto", "off"] | float
"""Until the devices are back at their idle power, not at all, or so many seconds."""
Stream = Literal["inherit", "null"]
"""What becomes of what the command writes."""


class SeriesOptions(Struct, frozen=True):
    """A series: one command, run several times, each time by a wrapper of its own.

    Raises:
        UsageError: A value is out of range.
    """

    command: tuple[str, ...]
    repetitions: int
    warmup: int = 0
    """Runs before the first that counts."""
    prepare: str | None = None
    """For `sh -c`, before each run, the warm-ups included."""
    cool_down: CoolDown = "auto"
    passed: tuple[str, ...] = ()
    """Options of a single run that go on to each, word by word: `("--sensors", "fake", "--no-agent")`."""
    name: str = ""
    json: str | None = None
    quiet: bool = False
    verbose: bool = False
    """Show the report of each run."""
    keep_going: bool = False
    """Go on after a run that failed."""
    output: Stream = "inherit"

    def __post_init__(self) -> None:
        if not self.command:
            raise UsageError("-r: no command to repeat")
        if not 1 <= self.repetitions <= MOST_REPETITIONS:
            raise UsageError(f"-r {self.repetitions}: must be from 1 to {MOST_REPETITIONS}")
        if not 0 <= self.warmup <= MOST_REPETITIONS:
            raise UsageError(f"--warmup {self.warmup}: must be from 0 to {MOST_REPETITIONS}")
        if self.output not in ("inherit", "null"):
            raise UsageError(f"--output {self.output}: must be inherit or null")
        if isinstance(self.cool_down, str) and self.cool_down not in ("auto", "off"):
            raise UsageError(_wrong_cool_down(self.cool_down))
        if isinstance(self.cool_down, float | int) and not 0 <= self.cool_down <= MOST_SECONDS:
            raise UsageError(_wrong_cool_down(f"{self.cool_down:g}"))

    @property
    def runs(self) -> int:
        """How many there are in all."""
        return self.warmup + self.repetitions

    @property
    def simulated(self) -> bool:
        """True where the runs are measured with simulated sensors."""
        return _sensors(self.passed).startswith("fake")

    @property
    def saved(self) -> bool:
        """True where the runs are kept."""
        return "--no-save" not in self.passed

    @property
    def sensors(self) -> str:
        """What `--sensors` among the options of the single run says."""
        return _sensors(self.passed)


def parse_cool_down(word: str) -> CoolDown:
    """`auto`, `off`, or a number of seconds.

    Raises:
        UsageError: It is none of these.
    """
    if word == "auto":
        return "auto"
    if word == "off":
        return "off"
    try:
        seconds = float(word)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MOST_SECONDS:
        raise UsageError(_wrong_cool_down(word))
    return seconds


def parse_output(word: str) -> Stream:
    """`inherit` or `null`.

    Raises:
        UsageError: It is neither.
    """
    if word == "inherit":
        return "inherit"
    if word == "null":
        return "null"
    raise UsageError(f"--output {word}: must be inherit or null")


def _wrong_cool_down(word: str) -> str:
    return f"--cool-down {word}: must be auto, off, or from 0 to {MOST_SECONDS:g} seconds"


def _sensors(passed: tuple[str, ...]) -> str:
    found = "auto"
    for position, word in enumerate(passed):
        name, equals, value = word.partition("=")
        if name == "--sensors":
            found = value if equals else "".join(passed[position + 1 : position + 2])
    return found
