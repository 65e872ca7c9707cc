"""`aipower-run -r N`: the series from its options to its exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from aipower.errors import AipowerError
from aipower.record.compose import new_run_id
from aipower.record.page import Page
from aipower.run.asked import columns_of, has_color, has_glyphs
from aipower.run.console import complain, in_one_line, say
from aipower.run.output import Output
from aipower.run.repeat.children import Children
from aipower.run.repeat.options import SeriesOptions
from aipower.run.repeat.play import Play
from aipower.run.repeat.powers import OpenSensors, sensors_of
from aipower.run.repeat.progress import Progress, screen_of
from aipower.run.repeat.report import render
from aipower.run.repeat.rest import Pauses
from aipower.run.repeat.series import Series
from aipower.run.repeat.single import WRAPPER, SeriesError, Singles
from aipower.run.repeat.summary import summarize, to_json
from aipower.seams import Clock, SystemClock


class World(Struct, frozen=True):
    """What a series needs from outside; tests bring their own."""

    clock: Clock = field(default_factory=SystemClock)
    open_sensors: OpenSensors | None = None
    """None for those that the runs are measured with."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    wrapper: Sequence[str] = WRAPPER


def run_series(options: SeriesOptions, prog: str = "aipower-run", world: World | None = None) -> int:
    """Run the series; its exit code. Call it in a process with one thread, with no signal blocked.

    Results go to standard error and to the file of `--json`; nothing is written to standard output, which is the
    command's.

    Raises:
        UsageError: The file cannot be written; nothing was started.
        AipowerError: There is no room for temporary files; nothing was started.
    """
    world = world or World()
    with Children() as children, Output(options.json) as output, _private_folder() as folder:
        series = _series(options, children, folder, world)
        code, problem = _run(series, prog)
        series.progress.clear()
        if problem:
            complain(problem)
        try:
            _finish(series, code, output)
        except Exception as error:  # noqa: BLE001 - the runs are done and kept: one line, and their exit code
            complain(f"{prog}: no report: {in_one_line(error)}")
        return code


@contextlib.contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder for the records that come from the runs, gone afterwards.

    Raises:
        AipowerError: There is no room for one.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="aipower-", ignore_cleanup_errors=True)
    except OSError as error:
        raise AipowerError(
            f"no temporary folder: {error.strerror}; set TMPDIR to one that you may write to"
        ) from error
    with folder as path:
        yield Path(path)


def _series(options: SeriesOptions, children: Children, folder: Path, world: World) -> Series:
    screen = screen_of(sys.stderr, world.environ, quiet=options.quiet, hidden=options.output == "null")
    progress = Progress(screen, world.clock.monotonic_s)
    # Simulated devices work by the clock, not by what is run: they never cool down.
    cool_down = (
        "off" if options.cool_down == "auto" and options.simulated and not world.open_sensors else options.cool_down
    )
    open_sensors = world.open_sensors or sensors_of(options.sensors, world.clock)
    return Series(
        options=options,
        series_id=new_run_id(time.time()),
        children=children,
        singles=Singles(options, children, folder, os.isatty(0), world.wrapper),
        pauses=Pauses(cool_down, children, open_sensors, world.clock, progress.pause),
        progress=progress,
        clock=world.clock,
    )


def _run(series: Series, prog: str) -> tuple[int, str]:
    """The exit code, and in one line why the series has ended early; empty where it has not, or was asked to."""
    try:
        code = series.run()
    except SeriesError as error:
        return error.exit_code, f"{prog}: {error}\n{series.singles.said()}".rstrip()
    last = series.plays[-1] if series.plays else None
    if code and not series.children.asked and last is not None:
        return code, f"{prog}: {_failed(last, series.options)}; --ignore-failure goes on"
    return code, ""


def _failed(play: Play, options: SeriesOptions) -> str:
    which = f"repetition {play.index} of {options.repetitions}" if play.index else "a warm-up"
    return f"{which} failed with exit {play.exit_code}"


def _finish(series: Series, code: int, output: Output) -> None:
    """Write the JSON and the report."""
    options = series.options
    done = sum(1 for play in series.plays if play.index)
    notes = [series.pauses.note] if series.pauses.note else []
    if series.children.asked and done < options.repetitions:
        notes.append("interrupted: the figures are those of the repetitions so far")
    summary = summarize(options, series.series_id, series.plays, code, notes)
    if options.json is not None:
        output.keep()
        output.write(to_json(summary))
    if not options.quiet and series.plays:
        say(render(summary, series.plays, _page(options)))


def _page(options: SeriesOptions) -> Page:
    """For the terminal at standard error, if there is one."""
    return Page(columns_of(os.environ), has_color(os.environ), has_glyphs(os.environ), options.saved, options.verbose)
