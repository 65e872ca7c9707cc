"""What the person who looks has chosen, and how keys change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

MOST_FILTER = 200
"""Characters of a filter."""


class View(Struct, frozen=True):
    """All choices."""

    sort: str = "power"
    """A column of `order.VALUES`."""
    reverse: bool = False
    filter: str = ""
    typing: bool = False
    """True while keys go into the filter."""
    scope: str | None = None
    """The id of the one device that is looked at."""
    offset: int = 0
    """The first row of processes that is shown, or the first line of the help."""
    paused: bool = False
    whole: bool = False
    """True for energies since the counters' own beginning."""
    help: bool = False
    resets: int = 0
    """How often a reset was asked for."""
    ended: bool = False


class Stage(Struct, frozen=True):
    """What is on the screen, as far as keys depend on it."""

    columns: Sequence[str] = ()
    """Those that can be sorted by and are shown, from left to right."""
    devices: Sequence[str] = ()
    """Ids, in the order of the screen."""
    rows: int = 0
    """Rows, or lines of help, that there are in all."""
    page: int = 1
    """Of which so many are shown at a time."""


def press(view: View, key: str, stage: Stage) -> View:
    """The view after `key`; see `keys.decode` for the names of keys."""
    if key == "ctrl-c":
        return replace(view, ended=True)
    if view.typing:
        return _type(view, key)
    if key in MOVES:
        return replace(view, offset=_within(MOVES[key](view.offset, stage), stage))
    if view.help:
        return replace(view, help=False, offset=0)
    act = ACTS.get(key) or ACTS.get(key.lower())
    return act(view, stage) if act else view


def clamped(view: View, stage: Stage) -> View:
    """`view` where it does not look beyond the last row, nor at a device that has left."""
    scope = view.scope if view.scope in stage.devices else None
    return replace(view, offset=_within(view.offset, stage), scope=scope)


def _within(offset: int, stage: Stage) -> int:
    return max(0, min(offset, stage.rows - stage.page))


def _type(view: View, key: str) -> View:
    if key == "enter":
        return replace(view, typing=False)
    if key == "escape":
        return replace(view, typing=False, filter="", offset=0)
    if key == "backspace":
        return replace(view, filter=view.filter[:-1], offset=0)
    if key == "ctrl-u":
        return replace(view, filter="", offset=0)
    if len(key) == 1 and key.isprintable() and len(view.filter) < MOST_FILTER:
        return replace(view, filter=view.filter + key, offset=0)
    return view


def _sort_by(column: str) -> Act:
    return lambda view, _stage: replace(view, sort=column, reverse=False, offset=0)


def _shift(step: int) -> Act:
    """The column to the left or to the right; at the end, it stays."""

    def act(view: View, stage: Stage) -> View:
        if view.sort not in stage.columns:
            return replace(view, sort=stage.columns[0], reverse=False) if stage.columns else view
        place = stage.columns.index(view.sort) + step
        column = stage.columns[max(0, min(place, len(stage.columns) - 1))]
        return view if column == view.sort else replace(view, sort=column, reverse=False, offset=0)

    return act


def _device(step: int) -> Act:
    """All devices, the first, the second, and so on, and all again."""

    def act(view: View, stage: Stage) -> View:
        choices = (None, *stage.devices)
        place = choices.index(view.scope) if view.scope in choices else 0
        return replace(view, scope=choices[(place + step) % len(choices)], offset=0)

    return act


def _escape(view: View, _stage: Stage) -> View:
    """Back to all that there is."""
    return replace(view, filter="", scope=None, offset=0)


Act = Callable[[View, Stage], View]

ACTS: Mapping[str, Act] = MappingProxyType(
    {
        "q": lambda view, _: replace(view, ended=True),
        "h": lambda view, _: replace(view, help=True, offset=0),
        "?": lambda view, _: replace(view, help=True, offset=0),
        "<": _shift(-1),
        ",": _shift(-1),
        "left": _shift(-1),
        ">": _shift(1),
        ".": _shift(1),
        "right": _shift(1),
        "r": lambda view, _: replace(view, reverse=not view.reverse, offset=0),
        "/": lambda view, _: replace(view, typing=True),
        " ": lambda view, _: replace(view, paused=not view.paused),
        "c": lambda view, _: replace(view, resets=view.resets + 1, whole=False),
        "a": lambda view, _: replace(view, whole=not view.whole),
        "d": _device(1),
        "D": _device(-1),
        "escape": _escape,
        "w": _sort_by("power"),
        "j": _sort_by("energy"),
        "p": _sort_by("pid"),
        "s": _sort_by("share"),
        "u": _sort_by("user"),
        "n": _sort_by("command"),
    }
)
"""What keys do; of those that are not here in capitals, capitals do the same."""

MOVES: Mapping[str, Callable[[int, Stage], int]] = MappingProxyType(
    {
        "up": lambda offset, _: offset - 1,
        "down": lambda offset, _: offset + 1,
        "pageup": lambda offset, stage: offset - max(1, stage.page - 1),
        "pagedown": lambda offset, stage: offset + max(1, stage.page - 1),
        "home": lambda _, __: 0,
        "end": lambda _, stage: stage.rows,
    }
)
