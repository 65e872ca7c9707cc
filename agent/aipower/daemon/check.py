"""What `aipower config check` looks at beside the settings themselves: the files and folders that they name."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from aipower.calibration.file import load_calibrations
from aipower.daemon.sinks.load import find_sink_mistakes
from aipower.errors import AipowerError
from aipower.settings.config import AgentConfig
from aipower.settings.places import AUTO, NONE


def find_trouble(config: AgentConfig, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Why the agent would not start, or would not do what was asked of it; one line each."""
    return tuple(
        trouble
        for step in (_calibrations, _state_dir, _socket, _web_config, _sinks)
        for trouble in step(config, environ)
        if trouble
    )


def _calibrations(_config: AgentConfig, environ: Mapping[str, str]) -> Iterator[str]:
    yield _complaint(lambda: load_calibrations(environ))


def _state_dir(config: AgentConfig, _environ: Mapping[str, str]) -> Iterator[str]:
    if config.state_dir not in {AUTO, NONE}:
        yield _wrong_kind("state_dir", Path(config.state_dir), stat.S_ISDIR, "folder")


def _socket(config: AgentConfig, _environ: Mapping[str, str]) -> Iterator[str]:
    if config.socket not in {AUTO, NONE}:
        yield _wrong_kind("socket", Path(config.socket), stat.S_ISSOCK, "socket")


def _web_config(config: AgentConfig, _environ: Mapping[str, str]) -> Iterator[str]:
    if config.web_config:
        from aipower.web.access import load_access  # noqa: PLC0415 - few agents have such a file

        yield _complaint(lambda: load_access(Path(config.web_config)))


def _sinks(config: AgentConfig, _environ: Mapping[str, str]) -> Iterator[str]:
    yield from find_sink_mistakes(config.sinks)


def _wrong_kind(key: str, path: Path, is_right: Callable[[int], bool], kind: str) -> str:
    """What is wrong with `path`: it is something else, or there is no folder for it. "" if it can be made."""
    try:
        return "" if is_right(path.stat().st_mode) else f"{key}: {path} is no {kind}"
    except (FileNotFoundError, NotADirectoryError):
        parent = path.parent
        return "" if parent.is_dir() else f"{key}: there is no folder {parent}; make it, or choose another place"
    except OSError as error:
        return f"{key}: {path}: {error.strerror or error}"


def _complaint(step: Callable[[], object]) -> str:
    try:
        step()
    except AipowerError as error:
        return str(error)
    return ""
