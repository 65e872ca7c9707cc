"""The agent's settings: defaults, then the file, then AIPOWER_* variables, then flags; the last one wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from aipower.errors import UsageError
from aipower.settings.layers import Layers, read_layers
from aipower.settings.options import OPTIONS
from aipower.settings.show import toml
from aipower.settings.sinks import SinkSettings, describe_sinks

SYSTEM_CONFIG = Path("/etc/aipower/aipower.toml")
"""Read if it is there and no other file is named."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """The settings of `aipower agent`; `config/aipower.toml` says what each means."""

    listen: str = "127.0.0.1:9877"
    sensors: str = "auto"
    interval_s: float = 1.0
    process_interval_s: float = 5.0
    retention_s: float = 300.0
    max_processes: int = 200
    max_runs: int = 1000
    max_jobs: int = 200
    job_environment: str = "on"
    created_timestamps: str = "on"
    flush_interval_s: float = 10.0
    state_dir: str = "auto"
    socket: str = "auto"
    web_config: str = ""
    live_page: str = "on"
    history_s: float = 21600.0
    run_records: str = "auto"
    user_labels: str = "uid"
    log_level: str = "info"
    log_format: str = "auto"
    sinks: tuple[SinkSettings, ...] = ()
    """From the file only."""


def load_config(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, str]) -> AgentConfig:
    """The settings; `flags` are by key, as in `{"interval_s": "0.5"}`, empty variables count as unset.

    Raises:
        UsageError: A key is unknown, a value is wrong or the file cannot be read, with the place; the first of all
            mistakes where there are several.
    """
    layers = read_layers(path, environ, flags)
    config = _config(layers)
    for mistake in _mistakes(layers, config):
        raise UsageError(mistake)
    return config


def find_mistakes(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, str]) -> tuple[str, ...]:
    """All that `load_config` would complain of, one line each."""
    layers = read_layers(path, environ, flags)
    return _mistakes(layers, _config(layers))


def effective_path(path: Path | None) -> Path | None:
    """`path`, or the system's file where none is named; None where that is not there either."""
    return SYSTEM_CONFIG if path is None and _is_there(SYSTEM_CONFIG) else path


def load_effective(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, str]) -> AgentConfig:
    """The settings that the agent would use: as `load_config`, with the system's file where none is named.

    Raises:
        UsageError: As `load_config`.
    """
    return load_config(effective_path(path), environ, flags)


def describe(config: AgentConfig) -> str:
    """The settings as TOML that `load_config` reads back, but for the secrets of sinks, which are not shown."""
    plain = "".join(f"{field.name} = {toml(getattr(config, field.name))}\n" for field in fields(config)[:-1])
    return plain + describe_sinks(config.sinks)


def _config(layers: Layers) -> AgentConfig:
    """The settings as far as they are right."""
    values = {key: setting.value for key, setting in layers.settings.items()}
    # OPTIONS gave each value the type of its field.
    config = AgentConfig(**values, sinks=layers.sinks)  # type: ignore[arg-type]
    if "process_interval_s" in layers.settings:
        return config
    return replace(config, process_interval_s=max(config.process_interval_s, config.interval_s))


def _mistakes(layers: Layers, config: AgentConfig) -> tuple[str, ...]:
    found = tuple(mistake.text for mistake in layers.mistakes)
    keys = ("process_interval_s", "interval_s")
    if config.process_interval_s >= config.interval_s or layers.wrong(*keys):
        return found
    written = [
        layers.settings[key].shown() if key in layers.settings else f"the default {key} = {getattr(config, key)}"
        for key in keys
    ]
    return (*found, f"{written[0]}: expected {OPTIONS[keys[0]].expected} ({written[1]})")


def _is_there(path: Path) -> bool:
    """True too where it may not be looked at: reading it then says why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
