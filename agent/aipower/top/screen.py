"""The whole screen as lines: a pure function of the rows, of what the person has chosen, and of the size."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.model import SUMMED_KINDS, Kind
from aipower.top.cells import cut, fit, harmless, width_of
from aipower.top.devices import device_lines
from aipower.top.head import Surroundings, first_line, label, notes, second_line, shown_notes
from aipower.top.helptext import help_lines
from aipower.top.layout import Line, Placed, Span, clipped, heading
from aipower.top.order import TEXTS, VALUES, divide, sorted_rows, summed
from aipower.top.rows import Account, Picture, ProcessRow
from aipower.top.table import account_line, place_columns, process_line
from aipower.top.view import Stage, View, clamped

TALL = 18
"""From this height on the accounts have lines of their own."""
NOTES, FEW_NOTES = 3, 1
LEAST_ROWS = 3
HINTS = ("q quit", "h help", "/ filter", "d device", "< > sort", "space pause", "c reset")
UP, DOWN = "▲", "▼"


class Screen(Struct, frozen=True):
    """What is drawn, and what keys need to know of it."""

    lines: tuple[Line, ...]
    stage: Stage
    view: View
    """As it was given, but for what is not there any more."""


class _Table(Struct, frozen=True):
    """The processes that are shown, and what completes the sum."""

    rows: Sequence[ProcessRow]
    accounts: Sequence[Account]
    placed: tuple[Placed, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that can be sorted by."""
        return tuple(one.column.id for one in self.placed if one.column.id in VALUES)


def draw(picture: Picture | None, view: View, around: Surroundings, width: int, height: int) -> Screen:
    """The screen of `width` x `height` cells; no line is wider and there are not more."""
    width, height = max(1, width), max(1, height)
    if view.help:
        screen = _help(picture, view, around, width, height)
    elif picture is None:
        screen = _waiting(view, around, width, height)
    else:
        screen = _tables(picture, view, around, width, height)
    return replace(screen, lines=tuple(clipped(line, width) for line in screen.lines))


def _tables(picture: Picture, view: View, around: Surroundings, width: int, height: int) -> Screen:
    view = clamped(view, Stage(devices=[row.device.id for row in picture.devices], rows=1 << 30))
    table = _table(picture, view, width)
    accounts = list(table.accounts) if height >= TALL else list(table.accounts[-1:])
    above = [first_line(around, width, simulated=picture.simulated), second_line(picture, width)]
    above += shown_notes(notes(picture, around), width, NOTES if height >= TALL else FEW_NOTES)
    below = [account_line(account, table.placed) for account in accounts]
    room = height - len(above) - len(below) - 3  # two headings and the last line
    rows = min(max(LEAST_ROWS, height // 3), max(1, len(table.rows)))
    devices = max(1, min(len(picture.devices), room - rows))
    above += device_lines(picture.devices, width, devices, view.scope) if picture.devices else []
    page = max(1, height - len(above) - len(below) - 2)
    stage = Stage(table.columns, [row.device.id for row in picture.devices], len(table.rows), page)
    view = clamped(view, stage)
    body = [process_line(row, table.placed) for row in table.rows[view.offset : view.offset + page]]
    body += [()] * (page - len(body))
    lines = [*above, _titles(table, view, width), *body, *below][: height - 1]
    return Screen((*lines, _last_line(picture, view, stage, width)), stage, view)


def text_of(picture: Picture | None, view: View, around: Surroundings, width: int) -> tuple[Line, ...]:
    """All rows, for a file or a pipe: nothing is left out for the height."""
    if picture is None:
        return (first_line(around, width, simulated=False), *shown_notes(notes(None, around), width, NOTES))
    table = _table(picture, view, width)
    found = notes(picture, around)
    above = [first_line(around, width, simulated=picture.simulated), second_line(picture, width)]
    above += [(span,) for span in found]
    if around.origin.note:
        above.append((Span(harmless(around.origin.note)),))
    above += device_lines(picture.devices, width, len(picture.devices), view.scope) if picture.devices else []
    body = [process_line(row, table.placed) for row in table.rows]
    below = [account_line(account, table.placed) for account in table.accounts]
    return (*above, _titles(table, view, width), *body, *below)


def _table(picture: Picture, view: View, width: int) -> _Table:
    shown, hidden = divide(picture.processes, view.filter)
    accounts = [*((summed("hidden", hidden),) if hidden else ()), *picture.accounts]
    if picture.total is not None:
        accounts.append(picture.total)
    there = {row.device.kind for row in picture.devices}
    kinds: list[Kind] = [kind for kind in SUMMED_KINDS if kind in there]
    placed = place_columns(width, runs=any(row.run for row in picture.processes), kinds=kinds)
    return _Table(sorted_rows(shown, view.sort, reverse=view.reverse), accounts, placed)


def _titles(table: _Table, view: View, width: int) -> Line:
    upwards = (view.sort in TEXTS) != view.reverse
    return heading(table.placed, width, view.sort, UP if upwards else DOWN)


def _last_line(picture: Picture, view: View, stage: Stage, width: int) -> Line:
    if view.typing:
        return (Span(cut(f"filter: {harmless(view.filter)}", width - 1), "bold"), Span(" ", "chosen"))
    state: list[Span] = []
    if view.paused:
        state.append(Span("PAUSED", "chosen"))
    if view.whole:
        state.append(Span("all since the counters began", "bold"))
    if view.scope is not None:
        chosen = next(row for row in picture.devices if row.device.id == view.scope)
        state.append(Span(f"{label(chosen)} only", "bold"))
    if view.filter.strip():
        state.append(Span(f"/{harmless(view.filter)}", "bold"))
    if stage.rows > stage.page:
        last = min(stage.rows, view.offset + stage.page)
        state.append(Span(f"{view.offset + 1}-{last} of {stage.rows}"))
    return _with_hints(state, width)


def _with_hints(state: Sequence[Span], width: int) -> Line:
    """`state`, then as many hints as there is room for; of the state the end is cut."""
    spans: list[Span] = []
    left = width
    for span in [*state, *(Span(hint, "dim") for hint in HINTS)]:
        gap = "  " if spans else ""
        needed = len(gap) + width_of(span.text)
        if needed > left:
            break
        spans.append(Span(gap + span.text, span.style))
        left -= needed
    if not spans and state:
        return (Span(cut(state[0].text, width), state[0].style),)
    return tuple(spans)


def _waiting(view: View, around: Surroundings, width: int, height: int) -> Screen:
    found = notes(None, around) or [Span("looking for sensors, the first figures come in a moment")]
    lines = [first_line(around, width, simulated=False), *shown_notes(found, width, NOTES)]
    lines += [()] * (height - 1 - len(lines))
    return Screen((*lines[: height - 1], _with_hints((), width)), Stage(), view)


def _help(picture: Picture | None, view: View, around: Surroundings, width: int, height: int) -> Screen:
    texts = help_lines([*notes(picture, around), Span(harmless(around.origin.note))], width)
    page = max(1, height - 1)
    stage = Stage(rows=len(texts), page=page, devices=[row.device.id for row in picture.devices] if picture else [])
    at = max(0, min(view.offset, len(texts) - page))
    shown: list[Line] = list(texts[at : at + page])
    shown += [()] * (page - len(shown))
    ending = f"{at + 1}-{min(len(texts), at + page)} of {len(texts)}  arrows scroll, any other key goes back"
    return Screen((*shown[: height - 1], (Span(fit(ending, width).rstrip(), "dim"),)), stage, view)
