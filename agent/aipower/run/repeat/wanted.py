"""From the options of `aipower-run` to those of a series."""

from __future__ import annotations

from aipower.run.options import RunOptions
from aipower.run.repeat.options import SeriesOptions, parse_cool_down, parse_output


def series_options(options: RunOptions) -> SeriesOptions:
    """What `-r` and the options beside it say.

    Raises:
        UsageError: A value is out of range.
    """
    settings = options.settings
    return SeriesOptions(
        command=tuple(options.command),
        repetitions=options.repeat,
        warmup=int(str(settings.get("warmup", 0))),
        prepare=str(settings["prepare"]) if "prepare" in settings else None,
        cool_down=parse_cool_down(str(settings.get("cool_down", "auto"))),
        passed=options.passed_on(),
        name=options.name,
        json=options.json,
        quiet=options.quiet,
        verbose=options.verbose,
        keep_going="ignore_failure" in settings,
        output=parse_output(str(settings.get("output", "inherit"))),
    )
