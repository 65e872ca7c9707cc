"""The tables `[sinks.NAME]` of the configuration file: where else the agent sends what it measures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from aipower.settings.file import MAX_LOOKS, Document, is_toml
from aipower.settings.show import toml, toml_key
from aipower.sinks import is_secret

TABLE = "sinks"
MAX_SINKS = 16
"""Each has a thread."""
GOOD_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
MIN_INTERVAL_S, MAX_INTERVAL_S, DEFAULT_INTERVAL_S = 1.0, 3600.0, 15.0
OWN_KEYS = ("kind", "interval_s")
"""Keys of the agent; all others are the sink's."""
MASK = "***"
"""Shown in the place of a secret."""


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """One table."""

    name: str
    kind: str
    """Name of the entry point that makes the sink; that of the table where none is given."""
    interval_s: float = DEFAULT_INTERVAL_S
    options: Mapping[str, object] = field(default_factory=dict)
    locate: Callable[[str], str] | None = field(default=None, compare=False, repr=False)
    """The place of a key, see `place`."""

    def place(self, key: str = "") -> str:
        """`FILE:LINE` of `key`, or of the table where that is not known. It takes a while."""
        return self.locate(key) if self.locate else f"[{TABLE}.{self.name}]"


@dataclass(frozen=True, slots=True)
class Sinks:
    """The sinks that a file has, and what is wrong with others."""

    found: tuple[SinkSettings, ...] = ()
    mistakes: tuple[str, ...] = ()


def read_sinks(document: Document) -> Sinks:
    """The sinks of `document`. Raises nothing."""
    tables = document.keys.get(TABLE, {})
    if not isinstance(tables, Mapping):
        return Sinks(mistakes=(f"{document.place(TABLE)}: {TABLE}: expected tables, as in [{TABLE}.jsonl]",))
    if len(tables) > MAX_SINKS:
        return Sinks(mistakes=(f"{document.place(TABLE)}: {len(tables)} sinks: expected at most {MAX_SINKS}",))
    found: list[SinkSettings] = []
    mistakes: list[str] = []
    for name, table in tables.items():
        wrong = tuple(_mistakes(document, name, table))
        mistakes.extend(wrong)
        if not wrong:
            found.append(_settings(document, name, table))
    return Sinks(tuple(found), tuple(mistakes))


def describe_sinks(sinks: Iterable[SinkSettings]) -> str:
    """The tables as TOML; secrets are `"***"`."""
    return "".join(f"\n[{TABLE}.{sink.name}]\n{_described(sink)}" for sink in sinks)


def _described(sink: SinkSettings) -> str:
    shown = {"kind": sink.kind, "interval_s": sink.interval_s, **sink.options}
    return "".join(f"{toml_key(key)} = {toml(_masked(key, value))}\n" for key, value in shown.items())


def _masked(key: str, value: object, *, secret: bool = False) -> object:
    """`value` without secrets; of a table or a list that is one, what is in it is not shown."""
    secret = secret or is_secret(key)
    if isinstance(value, Mapping):
        return {inner: _masked(inner, item, secret=secret) for inner, item in value.items()}
    if isinstance(value, list):
        return [_masked(key, item, secret=secret) for item in value]
    return MASK if secret else value


def _settings(document: Document, name: str, table: Mapping[str, object]) -> SinkSettings:
    """A table without mistakes."""
    options = {key: value for key, value in table.items() if key not in OWN_KEYS}
    interval_s = _interval_s(table) or DEFAULT_INTERVAL_S
    return SinkSettings(name, _kind(name, table), interval_s, options, partial(place_of, document, name))


def _mistakes(document: Document, name: str, table: object) -> Iterator[str]:
    if not GOOD_NAME.fullmatch(name):
        yield f"{document.place(TABLE)}: {TABLE}: expected a name of letters, digits, - and _, at most 40 of them"
    elif not isinstance(table, Mapping):
        yield f"{document.place(TABLE)}: {TABLE}.{name}: expected a table, as in [{TABLE}.{name}]"
    else:
        if not _kind(name, table):
            yield f"{place_of(document, name, 'kind')}: kind: expected the name of a kind of sink"
        if _interval_s(table) is None:
            low, high = MIN_INTERVAL_S, MAX_INTERVAL_S
            yield f"{place_of(document, name, 'interval_s')}: interval_s: expected seconds from {low:g} to {high:g}"


def _kind(name: str, table: Mapping[str, object]) -> str:
    """The kind; "" where what is written is none."""
    kind = table.get("kind", name)
    return kind if isinstance(kind, str) else ""


def _interval_s(table: Mapping[str, object]) -> float | None:
    """The interval; None where what is written is none."""
    value = table.get("interval_s", DEFAULT_INTERVAL_S)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if MIN_INTERVAL_S <= value <= MAX_INTERVAL_S else None


def place_of(document: Document, name: str, key: str = "") -> str:
    """`FILE:LINE` of `key` of the sink `name`, or of its table; without the line where it is written unusually."""
    table = rf"""^[ \t]*\[[ \t]*{TABLE}[ \t]*\.[ \t]*(["']?){re.escape(name)}\1[ \t]*"""
    started = _first(document.text, rf"{table}\]")
    if key:
        inner = _first(document.text, rf"{table}\.[ \t]*{re.escape(key)}[ \t]*[\].]")
        within = None if started is None else _key_below(document.text, started, key)
        started = next((at for at in (within, inner, started) if at is not None), None)
    if started is None:
        return document.place(TABLE)
    return f"{document.path}:{document.text.count(chr(10), 0, started) + 1}"


def _key_below(text: str, header: int, key: str) -> int | None:
    """Where `key` is written in the table whose header is at `header`."""
    line_end = text.find("\n", header)
    if line_end < 0:
        return None
    end = _first(text, r"^[ \t]*\[", line_end)
    return _first(text, rf"""^[ \t]*(["']?){re.escape(key)}\1[ \t]*[=.]""", line_end, end)


def _first(text: str, pattern: str, start: int = 0, end: int | None = None) -> int | None:
    """The first match of `pattern` that is no part of a longer string or list."""
    matches = re.compile(pattern, re.MULTILINE).finditer(text, start, len(text) if end is None else end)
    for _, found in zip(range(MAX_LOOKS), matches, strict=False):
        if is_toml(text[: found.start()]):
            return found.start()
    return None
