"""SIGHUP: the settings are read again and checked as a whole; then they are in force, or the old ones go on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields, replace

from aipower.errors import AipowerError
from aipower.settings.config import AgentConfig

log = logging.getLogger(__name__)

LIVE = (
    "interval_s",
    "process_interval_s",
    "retention_s",
    "max_processes",
    "max_runs",
    "max_jobs",
    "web_config",
    "log_level",
    "log_format",
)
"""Settings that change without a restart, as some part takes each of them. The others are marked in the file."""
REFUSED = "the last reload was refused, see the log"
PARTLY = "the last reload is in force only in part, see the log"

Part = Callable[[AgentConfig], Callable[[], None]]
"""Checks what it needs of new settings (and of files that belong to them), and returns what puts them into force.

It changes nothing, and raises an `AipowerError` in one line where it does not want them. What it returns must not
fail: others are in force by then. Each is called on a thread of the reload's own; settings that need a restart are in
it as they were at the start.
"""


def unchecked(apply: Callable[[AgentConfig], None]) -> Part:
    """A part that takes whatever the settings may be."""
    return lambda config: lambda: apply(config)


class Reloader:
    """Holds the settings in force; `load` reads them again."""

    def __init__(self, config: AgentConfig, load: Callable[[], AgentConfig]) -> None:
        self._started = self._config = config
        self._load = load
        self._failed: Callable[[str], None] = lambda _why: None
        self._parts: list[Part] = []
        self._lock = threading.Lock()

    @property
    def config(self) -> AgentConfig:
        """The settings in force."""
        return self._config

    def report_to(self, failed: Callable[[str], None]) -> None:
        """Have `failed` called with the reason of each refusal."""
        self._failed = failed

    def add(self, part: Part) -> None:
        """Have `part` take new settings from now on, and at once if they are no longer those of the start."""
        with self._lock:
            self._parts.append(part)
            if self._config != self._started:
                part(self._config)()

    def reload(self) -> str:
        """A note for people: "" where all went well, else `REFUSED` or `PARTLY`. Raises nothing."""
        with self._lock:
            try:
                wanted = self._load()
                config = replace(self._started, **{name: getattr(wanted, name) for name in LIVE})
                steps = [part(config) for part in self._parts]
            except AipowerError as error:
                return self._refuse(str(error))
            except Exception as error:  # a part may have a bug, and the old settings have none that matters
                log.exception("the reload has failed")
                return self._refuse(repr(error))
            return self._apply(steps, wanted, config)

    def _apply(self, steps: Sequence[Callable[[], None]], wanted: AgentConfig, config: AgentConfig) -> str:
        before, self._config = self._config, config
        failures = [repr(error) for step in steps if (error := _failure(step))]
        for why in failures:
            self._failed(why)
        if failures:
            log.error("the new settings are in force, but not all of them: %s; restart the agent", "; ".join(failures))
            return PARTLY
        self._tell(before, wanted)
        return ""

    def _tell(self, before: AgentConfig, wanted: AgentConfig) -> None:
        config = self._config
        changed = [name for name in LIVE if getattr(config, name) != getattr(before, name)]
        told = ", ".join(f"{name} = {getattr(config, name)}" for name in changed)
        log.info("reloaded: %s", told or "no setting has changed")
        if later := waiting(self._started, wanted):
            log.warning("%s: takes effect at the next start", ", ".join(later))

    def _refuse(self, why: str) -> str:
        log.error("reload refused, the old settings go on: %s", why)
        self._failed(why)
        return REFUSED


def _failure(step: Callable[[], None]) -> Exception | None:
    try:
        step()
    except Exception as error:  # noqa: BLE001 - a bug of one part must not keep the others from the new settings
        return error
    return None


def waiting(started: AgentConfig, wanted: AgentConfig) -> list[str]:
    """The settings that are other than at the start and cannot change before the next one."""
    names = [field.name for field in fields(AgentConfig) if field.name not in LIVE]
    return [name for name in names if getattr(started, name) != getattr(wanted, name)]


class Reloading:
    """Runs one reload at a time on a thread of its own: a file may lie on a disk that hangs.

    `done` is called from that thread with the note of the last of those that were asked for.
    """

    def __init__(self, reloader: Reloader, done: Callable[[str], None]) -> None:
        self._reloader = reloader
        self._done = done
        self._asked = 0
        self._lock = threading.Lock()

    def ask(self) -> None:
        """Reload, and once more if that is under way: it may have read the files before they changed."""
        with self._lock:
            self._asked = min(self._asked + 1, 2)
            if self._asked == 1:
                threading.Thread(target=self._run, name="aipower-reload", daemon=True).start()

    def _run(self) -> None:
        while True:
            note = self._reloader.reload()
            with self._lock:
                self._asked -= 1
                if not self._asked:
                    break
        self._done(note)
