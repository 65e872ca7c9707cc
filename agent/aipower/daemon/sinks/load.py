"""Makes the sinks that the settings ask for. What cannot be made is a mistake in the settings, with its place."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

from aipower.daemon.sinks.service import Way
from aipower.daemon.sinks.tally import one_line
from aipower.errors import UsageError
from aipower.settings.sinks import SinkSettings
from aipower.sinks import GROUP, Sink, SinkFactory

Points = Callable[[], Iterable[EntryPoint]]
"""The entry points of all installed packages."""


def installed() -> Iterable[EntryPoint]:
    """The kinds of sinks that are installed."""
    return entry_points(group=GROUP)


def make_sinks(wanted: Sequence[SinkSettings], points: Points = installed) -> Mapping[str, Way]:
    """The ways out that `wanted` asks for, by name.

    Raises:
        UsageError: One of them cannot be made; the first of all mistakes.
    """
    ways, mistakes = _try_all(wanted, points)
    if mistakes:
        _close(ways)
        raise UsageError(mistakes[0])
    return ways


def find_sink_mistakes(wanted: Sequence[SinkSettings], points: Points = installed) -> tuple[str, ...]:
    """All that is wrong with `wanted`, one line each."""
    ways, mistakes = _try_all(wanted, points)
    _close(ways)
    return tuple(mistakes)


def _try_all(wanted: Sequence[SinkSettings], points: Points) -> tuple[dict[str, Way], list[str]]:
    ways: dict[str, Way] = {}
    mistakes: list[str] = []
    kinds = _kinds(points()) if wanted else {}
    for settings in wanted:
        try:
            ways[settings.name] = Way(_made(settings, kinds), settings.interval_s)
        except UsageError as error:
            mistakes.append(str(error))
    return ways, mistakes


def _kinds(points: Iterable[EntryPoint]) -> Mapping[str, Sequence[EntryPoint]]:
    """The entry points of each kind; an editable install may show one twice."""
    kinds: dict[str, dict[str, EntryPoint]] = {}
    for point in points:
        kinds.setdefault(point.name, {})[point.value] = point
    return {name: tuple(by_value.values()) for name, by_value in kinds.items()}


def _made(settings: SinkSettings, kinds: Mapping[str, Sequence[EntryPoint]]) -> Sink:
    factory = _factory(settings, kinds)
    try:
        return factory(settings.options, settings.name)
    except UsageError as error:
        key = str(error).partition(":")[0]
        raise UsageError(f"{settings.place(key)}: {_of(settings)}: {one_line(str(error))}") from error
    except Exception as error:
        raise UsageError(f"{settings.place()}: {_of(settings)}: cannot be made: {one_line(repr(error))}") from error


def _factory(settings: SinkSettings, kinds: Mapping[str, Sequence[EntryPoint]]) -> SinkFactory:
    points = kinds.get(settings.kind, ())
    if len(points) != 1:
        why = _ambiguous(points) if points else f"unknown kind {settings.kind!r}; {_hint(settings.kind, kinds)}"
        raise UsageError(f"{settings.place('kind')}: {_of(settings)}: {one_line(why)}")
    try:
        factory: SinkFactory = points[0].load()
    except Exception as error:
        why = f"kind {settings.kind} does not load: {one_line(repr(error))}"
        raise UsageError(f"{settings.place('kind')}: {_of(settings)}: {why}") from error
    return factory


def _hint(kind: str, kinds: Mapping[str, object]) -> str:
    import difflib  # noqa: PLC0415 - only for a mistake

    near = difflib.get_close_matches(kind, kinds, n=1)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"the kinds that are installed are {', '.join(sorted(kinds))}" if kinds else "none is installed"


def _ambiguous(points: Sequence[EntryPoint]) -> str:
    return (
        f"several packages offer this kind: {', '.join(sorted(point.value for point in points))}; remove all but one"
    )


def _of(settings: SinkSettings) -> str:
    return f"sink {settings.name}"


def _close(ways: Mapping[str, Way]) -> None:
    for way in ways.values():
        with contextlib.suppress(Exception):
            way.sink.close()
