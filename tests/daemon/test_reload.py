from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import pytest

from aipower.daemon.service.reload import LIVE, PARTLY, REFUSED, Reloader, Reloading, unchecked
from aipower.errors import UsageError
from aipower.settings.config import AgentConfig

SHIPPED = Path(__file__).parents[2] / "config" / "aipower.toml"
DEADLINE_S = 60.0


@dataclass(slots=True)
class Rig:
    """A reloader that loads what the test says, and what became of it."""

    wanted: AgentConfig | Exception = field(default_factory=AgentConfig)
    taken: list[AgentConfig] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    reloader: Reloader = field(init=False)

    def __post_init__(self) -> None:
        self.reloader = Reloader(AgentConfig(), self._load)
        self.reloader.report_to(self.failures.append)
        self.reloader.add(unchecked(self.taken.append))

    def _load(self) -> AgentConfig:
        if isinstance(self.wanted, Exception):
            raise self.wanted
        return self.wanted


def test_what_can_change_live_changes_and_the_rest_is_named_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(AgentConfig(interval_s=0.5, listen="127.0.0.1:1", sensors="fake"))
    with caplog.at_level("INFO"):
        assert rig.reloader.reload() == ""
    assert rig.taken == [AgentConfig(interval_s=0.5)]
    assert rig.reloader.config == AgentConfig(interval_s=0.5)
    assert caplog.messages == [
        "reloaded: interval_s = 0.5",
        "listen, sensors: takes effect at the next start",
    ]


@pytest.mark.parametrize("error", [UsageError("a.toml:1: unknown key"), ZeroDivisionError("a bug")])
def test_a_bad_file_changes_nothing_and_is_counted(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(error)
    assert rig.reloader.reload() == REFUSED
    assert rig.taken == []
    assert len(rig.failures) == 1
    assert "the old settings go on" in caplog.messages[-1]
    rig.wanted = AgentConfig(log_level="debug")
    assert rig.reloader.reload() == ""
    assert rig.taken == [AgentConfig(log_level="debug")]


def test_nothing_is_in_force_before_everybody_has_agreed() -> None:
    def refuse(_config: AgentConfig) -> Callable[[], None]:
        raise UsageError("web.yml: no such key")

    rig = Rig(AgentConfig(interval_s=0.5))
    rig.reloader.add(refuse)
    assert rig.reloader.reload() == REFUSED
    assert rig.taken == []
    assert rig.failures == ["web.yml: no such key"]


def test_settings_of_which_one_part_cannot_be_put_in_force_are_not_said_to_be_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_config: AgentConfig) -> None:
        raise RuntimeError("can't start new thread")

    rig = Rig(wanted := AgentConfig(interval_s=0.5))
    rig.reloader.add(unchecked(fail))
    after: list[AgentConfig] = []
    rig.reloader.add(unchecked(after.append))
    assert rig.reloader.reload() == PARTLY
    assert (rig.taken, after) == ([wanted], [wanted]), "the others take them all the same"
    assert rig.reloader.config == wanted
    assert rig.failures == ["""RuntimeError("can't start new thread")"""]
    assert not [line for line in caplog.messages if "old settings go on" in line]
    (told,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "not all of them" in told.getMessage()


def test_who_comes_after_a_reload_takes_its_settings() -> None:
    """The sampler, where a driver has held up the start."""
    rig = Rig(AgentConfig(interval_s=0.5))
    late: list[AgentConfig] = []
    rig.reloader.add(unchecked(late.append))
    assert late == []
    rig.reloader.reload()
    rig.reloader.add(unchecked(late.append))
    assert late == [AgentConfig(interval_s=0.5)] * 2


def test_a_reload_that_hangs_holds_up_nobody_and_is_done_once_more() -> None:
    go_on, done, notes = threading.Event(), threading.Event(), list[str]()
    started = threading.Semaphore(0)

    def load() -> AgentConfig:
        started.release()
        assert go_on.wait(DEADLINE_S)
        return AgentConfig()

    def finish(note: str) -> None:
        notes.append(note)
        done.set()

    reloading = Reloading(Reloader(AgentConfig(), load), finish)
    for _ in range(5):
        reloading.ask()
    assert started.acquire(timeout=DEADLINE_S)
    assert not done.is_set()
    go_on.set()
    assert done.wait(DEADLINE_S)
    assert notes == [""]
    # One for the first, and one for all the others that came while it was under way.
    assert started.acquire(blocking=False)
    assert not started.acquire(blocking=False)


def test_the_shipped_file_marks_what_needs_a_restart() -> None:
    marked = set()
    for block in SHIPPED.read_text(encoding="utf-8").split("\n\n"):
        if (key := re.search(r"(?m)^#(\w+) = ", block)) and "(restart)" in block:
            marked.add(key[1])
    assert marked == {each.name for each in fields(AgentConfig)} - set(LIVE) - {"sinks"}


def test_every_live_setting_is_taken() -> None:
    other = AgentConfig(
        "h:1",
        "fake",
        2.0,
        9.0,
        9.0,
        9,
        9,
        9,
        "off",
        "off",
        9.0,
        "/s",
        "/t",
        "/w",
        "off",
        700.0,
        "/r",
        "name",
        "debug",
        "json",
    )
    rig = Rig(other)
    rig.reloader.reload()
    expected = replace(AgentConfig(), **{name: getattr(other, name) for name in LIVE})
    assert rig.taken == [expected]
    assert all(getattr(expected, name) != getattr(AgentConfig(), name) for name in LIVE)
