"""Where settings come from: the file, AIPOWER_* variables and flags, each with all the mistakes in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from aipower.errors import UsageError
from aipower.settings.file import Document, read_document
from aipower.settings.options import OPTIONS, Value
from aipower.settings.sinks import TABLE, SinkSettings, read_sinks

ENV_PREFIX = "AIPOWER_"
TYPO_RATIO = 0.85
"""Variables this like a setting are taken for a misspelt one; the rest belong to other parts of aipower."""
MAX_SHOWN_CHARS = 80
MAX_UNKNOWN = 20
"""Unknown keys that are told one by one."""


class Setting(Struct, frozen=True):
    """A value that somebody set."""

    key: str
    value: Value
    shown: Callable[[], str]
    """Where and how it was written: `FILE:LINE: key = 1`, `AIPOWER_KEY="1"` or `--key "1"`. The line takes a while."""


class Mistake(Struct, frozen=True):
    """What somebody wrote and nobody can use."""

    text: str
    """One line, with the place and what was expected."""
    key: str = ""
    """The setting that it was meant for; empty where it is none."""


class Layers(Struct, frozen=True):
    """What was set, and what was set wrong."""

    settings: Mapping[str, Setting]
    mistakes: tuple[Mistake, ...]
    sinks: tuple[SinkSettings, ...] = ()

    def wrong(self, *keys: str) -> bool:
        """True where one of `keys` was set wrong."""
        return any(mistake.key in keys for mistake in self.mistakes)


def read_layers(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, str]) -> Layers:
    """The settings of all layers, those of a later one over those of an earlier one. Raises nothing."""
    found = [*_from_file(path), *_from_environ(environ), *_from_flags(flags)]
    settings = {entry.key: entry for entry in found if isinstance(entry, Setting)}
    mistakes = tuple(entry for entry in found if isinstance(entry, Mistake))
    return Layers(settings, mistakes, tuple(entry for entry in found if isinstance(entry, SinkSettings)))


def _from_file(path: Path | None) -> Iterable[Setting | Mistake | SinkSettings]:
    if path is None:
        return ()
    try:
        document = read_document(path)
    except UsageError as error:
        return (Mistake(str(error)),)
    unknown = [key for key in document.keys if key not in OPTIONS and key != TABLE]
    sinks = read_sinks(document)
    return [
        *(_from_key(document, key, raw) for key, raw in document.keys.items() if key in OPTIONS),
        *(_unknown_key(document, key) for key in unknown[:MAX_UNKNOWN]),
        *([Mistake(f"{path}: {len(unknown) - MAX_UNKNOWN} more unknown keys")] if len(unknown) > MAX_UNKNOWN else ()),
        *(Mistake(text) for text in sinks.mistakes),
        *sinks.found,
    ]


def _from_key(document: Document, key: str, raw: object) -> Setting | Mistake:
    def shown() -> str:
        return f"{document.place(key)}: {key} = {_shown(raw)}"

    try:
        return Setting(key, OPTIONS[key].from_toml(raw), shown)
    except ValueError as error:
        return _wrong(key, shown(), error)


def _unknown_key(document: Document, key: str) -> Mistake:
    near = _near(key, (*OPTIONS, TABLE))
    hint = f'; did you mean "{TABLE}"?' if near == [TABLE] else _suggestion(key)
    return Mistake(f"{document.place(key)}: unknown key {_shown(key)}{hint}")


def _from_environ(environ: Mapping[str, str]) -> Iterator[Setting | Mistake]:
    for name, text in environ.items():
        if not name.startswith(ENV_PREFIX) or not text:
            continue
        key = name.removeprefix(ENV_PREFIX).lower()
        if key in OPTIONS:
            yield _from_text(key, text, f"{name}={_shown(text)}")
        elif near := _near(key, OPTIONS, TYPO_RATIO):
            yield Mistake(f"unknown variable {_shown(name)}; did you mean {ENV_PREFIX}{near[0].upper()}?")


def _from_flags(flags: Mapping[str, str]) -> Iterator[Setting | Mistake]:
    for key, text in flags.items():
        flag = f"--{key.replace('_', '-')}"
        if key in OPTIONS:
            yield _from_text(key, text, f"{flag} {_shown(text)}")
        else:
            yield Mistake(f"unknown option {flag}{_suggestion(key)}")


def _from_text(key: str, text: str, shown: str) -> Setting | Mistake:
    try:
        return Setting(key, OPTIONS[key].from_text(text), lambda: shown)
    except ValueError as error:
        return _wrong(key, shown, error)


def _wrong(key: str, shown: str, error: ValueError) -> Mistake:
    """What was expected, or what its own parser has to say of it."""
    if isinstance(error.__cause__, UsageError):
        return Mistake(f"{shown}: {''.join(char if char.isprintable() else '?' for char in str(error))}", key)
    return Mistake(f"{shown}: expected {OPTIONS[key].expected}", key)


def _suggestion(key: str) -> str:
    near = _near(key, OPTIONS)
    return f'; did you mean "{near[0]}"?' if near else f"; the keys are {', '.join(OPTIONS)}"


def _shown(raw: object) -> str:
    try:
        text = json.dumps(raw, default=str)
    except RecursionError:  # a.a.a.a = 1 makes a table in a table as often as somebody likes
        text = f"{type(raw).__name__} of many levels"
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}..."


def _near(key: str, known: Iterable[str], ratio: float = 0.6) -> list[str]:
    """The one of `known` that is most like `key`, if there is one."""
    import difflib  # noqa: PLC0415 - only for a mistake

    return difflib.get_close_matches(key, list(known), n=1, cutoff=ratio)
