"""One run of a series: our own wrapper as a child, so that all that holds for a single run holds for each of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aipower.errors import AipowerError
from aipower.record.wording import clean
from aipower.run.repeat.children import Children, Streams
from aipower.run.repeat.options import SeriesOptions
from aipower.run.spawn import original_environment
from aipower.runrecord import NoRecordError, RunRecord, SeriesRecord, from_json

SERIES_VARIABLE = "AIPOWER_SERIES"
"""`ID:INDEX:COUNT`, for the wrapper; the command does not see it."""
WRAPPER = (sys.executable, "-P", "-c", "from aipower.run.cli import entry_point; entry_point()")
"""-P: without it modules in the working directory would be taken for those of the standard library."""
SHELL = "/bin/sh"
TAIL_LINES = 20


class SeriesError(AipowerError):
    """The series cannot go on."""


class Place(Struct, frozen=True):
    """Which run of which series."""

    series_id: str
    index: int
    """0 for a warm-up."""
    count: int


class Singles(Struct, frozen=True):
    """Starts the runs and commands of a series."""

    options: SeriesOptions
    children: Children
    folder: Path
    """Private, and gone after the series."""
    own_terminal: bool
    """Standard input is a terminal, which the command may read from."""
    wrapper: Sequence[str] = WRAPPER

    def run(self, place: Place, tick: Callable[[], None]) -> tuple[int, RunRecord]:
        """The exit code of one run, and its record.

        Raises:
            SeriesError: There is no record; its exit code is the run's.
        """
        file = self.folder / "run.json"
        file.unlink(missing_ok=True)
        environment = original_environment()
        environment[SERIES_VARIABLE.encode()] = f"{place.series_id}:{place.index}:{place.count}".encode()
        code = self._start(self._argv(place, file), environment, tick)
        record = _read(file)
        if record is None:
            raise SeriesError(f"{run_words(place)} left no record; exit {code}", exit_code=code or 1)
        return code, _placed(record, place)

    def prepare(self, tick: Callable[[], None]) -> None:
        """Run the command of --prepare, if there is one.

        Raises:
            SeriesError: It failed.
        """
        if self.options.prepare is None:
            return
        code = self._start((SHELL, "-c", self.options.prepare), original_environment(), tick)
        if code and not self.children.asked:
            raise SeriesError(f"--prepare {self.options.prepare!r} failed with exit {code}")

    def said(self) -> str:
        """The last lines that the last child wrote to standard error, where nobody has seen them; else empty."""
        if self.options.output != "null" or not self._errors.exists():
            return ""
        lines = self._errors.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "".join(f"  | {clean(line)}\n" for line in lines)

    def _argv(self, place: Place, file: Path) -> list[str]:
        options = self.options
        own = [f"--name={options.name}"] if options.name else []
        saved = [] if place.index else ["--no-save"]
        return [*self.wrapper, *options.passed, *own, f"--json={file}", "-q", *saved, "--", *options.command]

    def _start(self, argv: Sequence[str], environment: dict[bytes, bytes], tick: Callable[[], None]) -> int:
        try:
            return self.children.run(argv, environment, self._streams(), tick)
        except OSError as error:
            raise SeriesError(f"{argv[0]}: {error.strerror}") from error

    def _streams(self) -> Streams:
        stdin = None if self.options.runs == 1 or self.own_terminal else os.devnull
        if self.options.output == "null":
            return Streams(stdin, os.devnull, str(self._errors))
        return Streams(stdin)

    @property
    def _errors(self) -> Path:
        return self.folder / "stderr"


def _read(file: Path) -> RunRecord | None:
    try:
        return from_json(file.read_bytes())
    except (OSError, NoRecordError):
        return None


def _placed(record: RunRecord, place: Place) -> RunRecord:
    """The record with its place, which a wrapper of before has not noted."""
    return replace(record, series=SeriesRecord(place.series_id, place.index, place.count))


def run_words(place: Place) -> str:
    """As in a sentence."""
    return f"repetition {place.index} of {place.count}" if place.index else "the warm-up"
