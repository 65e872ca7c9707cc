"""The agent's settings: defaults, then the file, then AIPOWER_* variables, then flags; the last one wins."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from aipower.errors import UsageError
from aipower.settings.options import OPTIONS, Value

ENV_PREFIX = "AIPOWER_"
SYSTEM_CONFIG = Path("/etc/aipower/aipower.toml")
"""Read if it is there and no other file is named."""
TYPO_RATIO = 0.85
"""Variables this like a setting are taken for a misspelt one; the rest belong to other parts of aipower."""
MAX_SHOWN_CHARS = 80


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """The settings of `aipower agent`; `config/aipower.toml` says what each means."""

    listen: str = "127.0.0.1:9877"
    sensors: str = "auto"
    interval_s: float = 1.0
    process_interval_s: float = 5.0
    retention_s: float = 300.0
    max_processes: int = 200
    log_level: str = "info"


@dataclass(frozen=True, slots=True)
class _Setting:
    """A value that somebody set."""

    key: str
    value: Value
    shown: str
    """Where and how it was written: `FILE: key = 1`, `AIPOWER_KEY="1"` or `--key "1"`."""


def load_config(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, str]) -> AgentConfig:
    """The settings; `flags` are by key, as in `{"interval_s": "0.5"}`, empty variables count as unset.

    Raises:
        UsageError: A key is unknown, a value is wrong or the file cannot be read, with the place.
    """
    settings = {
        setting.key: setting
        for layer in (_from_file(path), _from_environ(environ), _from_flags(flags))
        for setting in layer
    }
    values = {key: setting.value for key, setting in settings.items()}
    config = AgentConfig(**values)  # type: ignore[arg-type]  # OPTIONS gave each value the type of its field
    if "process_interval_s" not in settings:
        return replace(config, process_interval_s=max(config.process_interval_s, config.interval_s))
    _check_intervals(config, settings)
    return config


def load_effective(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, str]) -> AgentConfig:
    """The settings that the agent would use: as `load_config`, with the system's file where none is named.

    Raises:
        UsageError: As `load_config`.
    """
    if path is None and _is_there(SYSTEM_CONFIG):
        path = SYSTEM_CONFIG
    return load_config(path, environ, flags)


def _is_there(path: Path) -> bool:
    """True too where it may not be looked at: reading it then says why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def describe(config: AgentConfig) -> str:
    """The settings as TOML that `load_config` reads back."""
    return "".join(f"{field.name} = {_toml(getattr(config, field.name))}\n" for field in fields(config))


def _toml(value: Value) -> str:
    # A JSON string is a TOML string but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _from_file(path: Path | None) -> Iterator[_Setting]:
    for key, raw in _read_toml(path).items() if path else ():
        shown = f"{path}: {key} = {_shown(raw)}"
        if key not in OPTIONS:
            raise UsageError(f"{path}: unknown key {_shown(key)}{_suggestion(key)}")
        try:
            yield _Setting(key, OPTIONS[key].from_toml(raw), shown)
        except ValueError as error:
            raise _wrong(key, shown, error) from None


def _from_environ(environ: Mapping[str, str]) -> Iterator[_Setting]:
    for name, text in environ.items():
        if not name.startswith(ENV_PREFIX) or not text:
            continue
        key = name.removeprefix(ENV_PREFIX).lower()
        if key in OPTIONS:
            yield _from_text(key, text, f"{name}={_shown(text)}")
        elif near := difflib.get_close_matches(key, OPTIONS, n=1, cutoff=TYPO_RATIO):
            raise UsageError(f"unknown variable {_shown(name)}; did you mean {ENV_PREFIX}{near[0].upper()}?")


def _from_flags(flags: Mapping[str, str]) -> Iterator[_Setting]:
    for key, text in flags.items():
        flag = f"--{key.replace('_', '-')}"
        if key not in OPTIONS:
            raise UsageError(f"unknown option {flag}{_suggestion(key)}")
        yield _from_text(key, text, f"{flag} {_shown(text)}")


def _from_text(key: str, text: str, shown: str) -> _Setting:
    try:
        return _Setting(key, OPTIONS[key].from_text(text), shown)
    except ValueError as error:
        raise _wrong(key, shown, error) from None


def _wrong(key: str, shown: str, error: ValueError) -> UsageError:
    """What was expected, or what its own parser has to say of it."""
    if isinstance(error.__cause__, UsageError):
        return UsageError(f"{shown}: {''.join(char if char.isprintable() else '?' for char in str(error))}")
    return UsageError(f"{shown}: expected {OPTIONS[key].expected}")


def _suggestion(key: str) -> str:
    near = difflib.get_close_matches(key, OPTIONS, n=1)
    return f'; did you mean "{near[0]}"?' if near else f"; the keys are {', '.join(OPTIONS)}"


def _shown(raw: object) -> str:
    text = json.dumps(raw, default=str)
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}..."


def _check_intervals(config: AgentConfig, settings: Mapping[str, _Setting]) -> None:
    if config.process_interval_s >= config.interval_s:
        return
    keys = ("process_interval_s", "interval_s")
    written = [
        settings[key].shown if key in settings else f"the default {key} = {getattr(config, key)}" for key in keys
    ]
    raise UsageError(f"{written[0]}: expected {OPTIONS[keys[0]].expected} ({written[1]})")


def _read_toml(path: Path) -> dict[str, object]:
    """The keys of the file.

    Raises:
        UsageError: It cannot be read, or is not TOML; it names the line.
    """
    try:
        if not path.is_file() and path.exists():
            raise UsageError(f"{path}: cannot read the configuration: not a regular file")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot read the configuration: {error.strerror or error}") from error
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}:{_line(content[: error.start])}: not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        why = str(error).replace("at end of document", f"at line {_line(content.rstrip())}, the end of the file")
        raise UsageError(f"{path}: not valid TOML: {why}") from error


def _line(before: bytes) -> int:
    return before.count(b"\n") + 1
