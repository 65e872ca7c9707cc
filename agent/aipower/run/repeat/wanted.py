"""From the command line of `aipower-run -r N` to the options of a series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipower.errors import UsageError
from aipower.run.repeat.options import SeriesOptions, parse_cool_down, parse_output

if TYPE_CHECKING:
    from aipower.run.options import RunOptions

SINGLE = {
    "html": "a series has no page of its own: see `aipower runs`, then `aipower report RUN --html FILE`",
    "live": "a series shows its own progress",
}
"""Options of a single run that a series does not have, and what there is instead."""


def series_options(options: RunOptions) -> SeriesOptions:
    """The series that `options` ask for.

    Raises:
        UsageError: A value is out of range, or an option does not go with a series.
    """
    settings = options.settings
    for option, why in SINGLE.items():
        if option in settings:
            raise UsageError(f"--{option} does not go with -r: {why}")
    prepare = settings.get("prepare")
    return SeriesOptions(
        command=tuple(options.command),
        repetitions=options.repeat,
        warmup=_whole(settings.get("warmup", 0)),
        prepare=None if prepare is None else str(prepare),
        cool_down=parse_cool_down(str(settings.get("cool_down", "auto"))),
        passed=(*options.passed_on(), *(() if options.save else ("--no-save",))),
        name=options.name,
        json=options.json,
        quiet=options.quiet,
        verbose=options.verbose,
        keep_going="ignore_failure" in settings,
        output=parse_output(str(settings.get("output", "inherit"))),
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
