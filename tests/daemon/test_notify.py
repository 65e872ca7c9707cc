"""What systemd hears, over a real socket; time is the test's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from aipower.daemon.health import Health
from aipower.daemon.service.notify import READY, WATCHDOG, Notifier, status, watchdog_s
from aipower.daemon.service.pulse import READY_AFTER_S, STATUS_PERIOD_S, Pulse, View, describe
from aipower.model import DeviceFacts, DeviceState, Snapshot
from fakes import CPU, DRAM, GPU, FakeClock

OK = Health(ok=True, sample_age_s=0.1)
STARTING = Health(ok=False, reason="the sensors are being looked for", starting=True)
STALE = Health(ok=False, reason="no sample lately")


def state(device: object, power_w: float | None) -> DeviceState:
    return DeviceState(device, DeviceFacts(), power_w is not None, power_w, 0, 0, 0, 0, 0)  # type: ignore[arg-type]  # a device


NODE = Snapshot(0.0, "1", (state(GPU, 700.0), state(GPU, None), state(CPU, 650.0), state(DRAM, 60.0)))


@dataclass(slots=True)
class Systemd:
    """The two ends of a socket."""

    listener: socket.socket
    notifier: Notifier

    def heard(self) -> list[str]:
        """All assignments since the last call; the time of a reload as its name."""
        found: list[str] = []
        while True:
            try:
                found += self.listener.recv(4096).decode().split("\n")
            except BlockingIOError:
                return ["MONOTONIC_USEC" if line.startswith("MONOTONIC_USEC=") else line for line in found]


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        if request.param == "path":
            listener.bind(address := str(tmp_path / "notify"))
        else:
            listener.bind("")  # the kernel chooses an abstract name
            address = "@" + listener.getsockname()[1:].decode()
        with Notifier(address) as notifier:
            yield Systemd(listener, notifier)


@dataclass(slots=True)
class Rig:
    """A pulse whose agent is as the test says."""

    systemd: Systemd
    watchdog_s: float | None = 30.0
    health: Health = OK
    snapshot: Snapshot = NODE
    answers: bool = True
    clock: FakeClock = field(default_factory=FakeClock)
    pulse: Pulse = field(init=False)

    def __post_init__(self) -> None:
        view = View(lambda: self.snapshot, lambda: self.health, lambda: self.answers)
        self.pulse = Pulse(self.systemd.notifier, view, self.clock, self.watchdog_s)

    def run(self, seconds: float) -> list[str]:
        """What is heard while the agent does what the pulse asks for."""
        until_s = self.clock.now_s + seconds
        while True:
            self.pulse.beat()
            pause_s = self.pulse.pause_s()
            assert pause_s is not None
            if self.clock.now_s + pause_s > until_s:
                self.clock.now_s = until_s
                return self.systemd.heard()
            self.clock.now_s += pause_s


def test_an_agent_with_samples_is_ready_at_once(systemd: Systemd) -> None:
    heard = Rig(systemd).run(0.0)
    assert heard[0] == READY
    assert WATCHDOG in heard
    assert "STATUS=2 GPUs, 1 CPU, 1 not read; 1.4 kW" in heard


def test_an_agent_without_samples_is_ready_after_some_seconds(systemd: Systemd) -> None:
    rig = Rig(systemd, health=STARTING)
    assert READY not in rig.run(READY_AFTER_S - 0.5)
    heard = rig.run(1.0)
    assert heard.count(READY) == 1
    assert any("being looked for" in line for line in heard)


@pytest.mark.parametrize(("health", "answers"), [(STALE, True), (OK, False)])
def test_the_watchdog_bites_when_samples_or_answers_stop(systemd: Systemd, health: Health, answers: bool) -> None:
    rig = Rig(systemd)
    assert rig.run(120.0).count(WATCHDOG) == 9
    rig.health, rig.answers = health, answers
    assert WATCHDOG not in rig.run(120.0)
    rig.health, rig.answers = OK, True
    assert WATCHDOG in rig.run(20.0)


def test_a_driver_that_hangs_at_the_start_is_no_reason_to_bite(systemd: Systemd) -> None:
    assert Rig(systemd, health=STARTING).run(120.0).count(WATCHDOG) >= 8


def test_the_line_for_people_comes_now_and_then_and_only_when_it_changes(systemd: Systemd) -> None:
    rig = Rig(systemd, watchdog_s=None)
    assert len(rig.run(60.0)) == 2
    changes = 0
    for power_w in range(300, 900):
        rig.snapshot = replace(NODE, devices=(state(GPU, float(power_w)),))
        changes += len(rig.run(0.1))
    assert 10 <= changes <= 60 / STATUS_PERIOD_S + 1


def test_a_reload_is_told_with_its_time_and_its_end(systemd: Systemd) -> None:
    rig = Rig(systemd, watchdog_s=None)
    rig.pulse.reload_begins()
    assert rig.systemd.heard() == []  # systemd does not know us as started yet
    rig.run(0.0)
    rig.pulse.reload_begins()
    assert rig.systemd.heard() == ["RELOADING=1", "MONOTONIC_USEC"]
    rig.pulse.reload_ends("refused")
    assert rig.systemd.heard() == [READY, "STATUS=2 GPUs, 1 CPU, 1 not read; 1.4 kW; refused"]
    rig.pulse.stop()
    assert rig.systemd.heard() == ["STOPPING=1", "STATUS=stopping"]


def test_systemd_that_does_not_read_holds_up_nobody(systemd: Systemd) -> None:
    for _ in range(5000):
        systemd.notifier.send(WATCHDOG)
    assert 0 < systemd.heard().count(WATCHDOG) < 5000


@pytest.mark.parametrize("path", ["", "relative", "/nobody/listens", "@nobody-listens-here", "/" + "x" * 200, "/a\0b"])
def test_nobody_is_told_nothing(path: str) -> None:
    with Notifier(path) as notifier:
        notifier.send(READY)
        assert notifier.heard == path.startswith(("/", "@"))


def test_without_systemd_the_agent_is_not_woken() -> None:
    pulse = Pulse(Notifier(""), View(lambda: NODE, lambda: OK, lambda: True), FakeClock())
    pulse.beat()
    assert pulse.pause_s() is None


def test_a_status_is_one_line() -> None:
    assert status("a\nREADY=1\x1b") == "STATUS=a?READY=1?"
    assert len(status("x" * 5000)) < 300


@pytest.mark.parametrize(
    ("snapshot", "health", "line"),
    [
        (replace(NODE, devices=()), OK, "nothing to measure"),
        (replace(NODE, devices=(state(GPU, 99.6),)), OK, "1 GPU; 100 W"),
        (replace(NODE, devices=(state(CPU, None),)), STALE, "1 CPU, 1 not read; no sample lately"),
    ],
)
def test_lines_for_people(snapshot: Snapshot, health: Health, line: str) -> None:
    assert describe(snapshot, health) == line


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "9" * 5000}, None),
        ({}, None),
    ],
)
def test_when_the_watchdog_bites(environ: dict[str, str], seconds: float | None) -> None:
    assert watchdog_s(environ, 7) == seconds
