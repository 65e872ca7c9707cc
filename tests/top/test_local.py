"""Measuring in this process: the simulated machine, drivers that hang, what is missing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from aipower.books.ledger import Ledger
from aipower.errors import AipowerError, SensorGoneError
from aipower.meter import Meter
from aipower.model import Conditions, Device, DeviceFacts, ProcessId, ProcessInfo, Reading
from aipower.seams import SensorSet, SensorTraits, SystemClock
from aipower.sensors.select import parse_selection
from aipower.store.going import Marker, this_machine
from aipower.store.writing import begin, finished
from aipower.top.commands import CommandLines
from aipower.top.local import LocalSource, limits_w
from aipower.top.look import Look, Origin
from aipower.top.ownruns import OwnRuns
from aipower.top.picture import picture_of
from aipower.top.rows import Picture
from aipower.top.watcher import QUIET_S, Wanted, Watcher
from fakes import FakeClock, FakeDirectory
from top.test_agents import Watched, gpus_work
from top.worlds import GPU0, GPU1, Used, busy, look, watched


@contextmanager
def watching(sensors: str, environ: dict[str, str] | None = None) -> Iterator[Watched]:
    source = LocalSource(parse_selection(sensors), 1.0, SystemClock(), environ or {})
    try:
        yield Watched(source)
    finally:
        source.stop()


def test_simulated_machine_is_measured() -> None:
    with watching("fake:2") as seen:
        found = seen.until(gpus_work, "work on a GPU")
        assert found.simulated
        assert not found.unavailable
        assert {row.device.kind for row in found.devices} == {"gpu", "cpu", "dram"}
        assert all(row.power_w for row in found.devices)


def test_own_process_is_seen_with_its_command_line() -> None:
    with watching("fake:1") as seen:
        info = ProcessInfo(ProcessId("", os.getpid(), 0), "python", "")

        def is_seen(found: Picture) -> bool:
            return any(row.pid == info.id.pid and row.sums.energy_uj for row in found.processes)

        stop = threading.Event()
        worker = threading.Thread(target=lambda: [None for _ in iter(stop.is_set, True)])
        worker.start()
        try:
            seen.until(is_seen, "our own work")
        finally:
            stop.set()
            worker.join()


def test_nothing_to_measure_is_told_with_reasons(tmp_path: Path) -> None:
    with watching("rapl", {"AIPOWER_POWERCAP_ROOT": str(tmp_path)}) as seen:
        deadline_s = SystemClock().monotonic_s() + 60
        while seen.source.failure is None:
            assert SystemClock().monotonic_s() < deadline_s
            threading.Event().wait(0.02)
        assert "--sensors rapl" in str(seen.source.failure)
    with watching("auto", {"AIPOWER_POWERCAP_ROOT": str(tmp_path)}) as seen:
        found = seen.until(lambda _: True, "a first picture")
        kinds = {missing.kind for missing in found.unavailable}
        assert "cpu" in kinds
        assert all(missing.remedy for missing in found.unavailable)


@dataclass(slots=True)
class Limited:
    """A GPU of 100 W with a power limit, or one that does not say it."""

    device: Device = GPU0
    limit_w: float | None = 700.0
    facts: DeviceFacts = field(default_factory=DeviceFacts)
    traits: SensorTraits = field(default_factory=SensorTraits)

    def read(self) -> Reading:
        return Reading(0.0, 0, 100.0)

    def close(self) -> None:
        """Nothing to free."""

    def conditions(self) -> Conditions:
        if self.limit_w is None:
            raise SensorGoneError("gone")
        return Conditions(power_limit_w=self.limit_w)


def test_power_limits_are_those_of_devices_that_say_them() -> None:
    sensors = [Limited(), Limited(GPU1, None)]
    meter = Meter(SensorSet(sensors), Ledger(FakeDirectory()), FakeClock())
    assert limits_w(meter) == {GPU0.id: 700.0}
    one = replace(look(busy(), 0.0), limits_w=limits_w(meter))
    rows = picture_of(watched(one), None).devices
    assert [(row.full_w, row.limited) for row in rows[:2]] == [(700.0, True), (70.0, False)]


class Hand:
    """A source that a test feeds."""

    def __init__(self, kind: str = "agent") -> None:
        self.origin = Origin(kind, "by hand", "hand")
        self.trouble = ""
        self.failure: AipowerError | None = None
        self.looks: list[Look] = []

    def start(self, _wake: object) -> None:
        """Nothing to begin."""

    def take(self) -> list[Look]:
        taken, self.looks = self.looks, []
        return taken

    def stop(self) -> None:
        """Nothing to end."""


def test_silence_of_a_sensor_is_told() -> None:
    clock, hand = FakeClock(), Hand()
    watcher = Watcher(hand, clock, 1.0, "node")
    hand.looks = [look(busy(), 0.0)]
    assert watcher.take()
    assert not watcher.around().trouble
    clock.sleep(QUIET_S + 1)
    assert not watcher.take()
    assert "no figures for 6 s" in watcher.around().trouble
    hand.trouble = "it does not answer"
    assert watcher.around().trouble == "it does not answer"


def test_a_held_picture_stays_and_counts_on() -> None:
    clock, hand = FakeClock(), Hand()
    watcher = Watcher(hand, clock, 1.0, "node")
    hand.looks = [look(busy(), 0.0)]
    watcher.take()
    held = watcher.picture(Wanted())
    hand.looks = [look(busy(scale=2), 1.0)]
    assert not watcher.take(held=True)
    assert watcher.picture(Wanted()) == held
    assert watcher.take()
    after = watcher.picture(Wanted())
    assert after is not None
    assert after.total is not None
    assert after.total.sums.energy_uj > 0


def test_failure_ends_it() -> None:
    hand = Hand()
    watcher = Watcher(hand, FakeClock(), 1.0, "node")
    assert watcher.picture(Wanted()) is None
    hand.failure = AipowerError("no /proc")
    with pytest.raises(AipowerError, match="no /proc"):
        watcher.picture(Wanted())


def command_file(proc: Path, pid: int, raw: bytes) -> None:
    (proc / str(pid)).mkdir(exist_ok=True)
    (proc / str(pid) / "cmdline").write_bytes(raw)


def test_command_lines_of_ones_own_processes_only(tmp_path: Path) -> None:
    command_file(tmp_path, 7, b"python\0train.py\0--token\0secret\0")
    own, foreign = Used(7, {}, user="ada").info, Used(7, {}, user="grace").info
    commands = CommandLines(tmp_path, "ada")
    assert commands.of(own) == "python train.py --token secret"
    assert commands.of(foreign) == ""
    assert commands.of(Used(8, {}, user="ada").info) == ""
    command_file(tmp_path, 7, b"bash\0")
    assert commands.of(own) == "python train.py --token secret", "read once"
    assert commands.of(replace(own, comm="bash")) == "bash", "until its name changes"
    commands.keep_only(frozenset())
    assert commands.of(own) == "bash"


def marker(run_id: str, pid: int, name: str = "", boot: str | None = None) -> bytes:
    here = this_machine()
    return msgspec.json.encode(
        Marker(run_id, pid, time.time(), name, [], here.host, here.boot if boot is None else boot)
    )


def test_processes_of_runs_that_go_are_named(tmp_path: Path) -> None:
    ours, parent = ProcessInfo(ProcessId("", os.getpid(), 1), "python", ""), os.getppid()
    runs = OwnRuns({"AIPOWER_RUNS_DIR": str(tmp_path)})
    runs.refresh()
    assert runs.of(ours) == ""
    begin(str(tmp_path), "20261128T133214Z-1a2b3c4d", marker("20261128T133214Z-1a2b3c4d", parent, "baseline"))
    begin(str(tmp_path), "20261128T133214Z-00000000", marker("20261128T133214Z-00000000", parent, "old", "other boot"))
    begin(str(tmp_path), "20261128T133214Z-11111111", b"garbage")
    runs.refresh()
    assert runs.of(ours) == "baseline"
    assert runs.of(ProcessInfo(ProcessId("", parent, 1), "aipower-run", "")) == "", "it is not part of its run"
    assert runs.of(ProcessInfo(ProcessId("", 1 << 23, 1), "fake", "")) == ""
    runs.keep_only(frozenset())
    finished(str(tmp_path), "20261128T133214Z-1a2b3c4d")
    runs.refresh()
    assert runs.of(ours) == ""


def test_no_store_is_no_error(tmp_path: Path) -> None:
    runs = OwnRuns({"AIPOWER_RUNS_DIR": str(tmp_path / "none")})
    runs.refresh()
    assert runs.of(Used(1, {}).info) == ""


def test_an_agents_processes_have_short_names_only() -> None:
    hand = Hand()
    watcher = Watcher(hand, FakeClock(), 1.0, "node")
    hand.looks = [look(busy(), 0.0)]
    watcher.take()
    found = watcher.picture(Wanted())
    assert found is not None
    assert {row.command for row in found.processes} == {"python", "vllm"}


def test_one_may_leave_before_the_sensors_are_found() -> None:
    """Ctrl-C while they are looked for: nothing was started, and nothing that was not is waited for."""
    for wait_s in (0.0, 0.0, 0.01, 0.05, 0.1, 0.2):
        source = LocalSource(parse_selection("fake:1"), 1.0, SystemClock(), {})
        source.start(lambda: None)
        time.sleep(wait_s)
        source.stop()
        assert source.failure is None
