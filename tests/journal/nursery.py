"""Starts agents in miniature, each with the journal of the one before, and kills each with SIGKILL while it writes.

    nursery.py FOLDER ROUNDS

Each agent prints a line of JSON after a flush: what a page would show. A counter that moves with the monotonic clock
is the hardware: it goes on while nobody watches.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import msgspec

from aipower.books.ledger import Ledger
from aipower.books.resume import positions, revived
from aipower.journal.writer import open_journal
from aipower.meter import Meter
from aipower.model import Device, DeviceFacts, Reading, Snapshot, Usage
from aipower.seams import SensorSet, SensorTraits, SystemClock
from fakes import GPU, FakeDirectory, process

BOOT = "boot"
PERIOD_S, STEP_UJ = 0.02, 2_000_000
"""100 W."""


class Hardware:
    """A counter, and two processes at work."""

    device: Device = GPU
    facts = DeviceFacts()
    traits = SensorTraits(PERIOD_S)

    def __init__(self) -> None:
        self._since_s = time.monotonic()

    def read(self) -> Reading:
        now_s = time.monotonic()
        return Reading(now_s, int(now_s / PERIOD_S) * STEP_UJ)

    def close(self) -> None:
        pass

    def collect(self) -> Usage:
        since_s, self._since_s = self._since_s, time.monotonic()
        busy = {process(1): (self._since_s - since_s) / 2, process(os.getpid()): (self._since_s - since_s) / 3}
        return Usage(since_s, self._since_s, busy, samples=6)


def page(snapshot: Snapshot) -> dict[str, int]:
    """What a page shows, and where the account stands against the counter."""
    (state,) = snapshot.devices
    assert state.position is not None
    assert state.position.counter_uj is not None
    work_uj = {"process": 0}
    for row in snapshot.processes:
        if row.info and row.info.id == process(1):
            work_uj["process"] = row.active_uj
    return {
        **work_uj,
        "device": state.energy_uj,
        "unattributed": state.unattributed_uj,
        "work": state.context_uj + state.active_uj,
        "user": sum(row.energy_uj for row in snapshot.users),
        "run": sum(row.energy_uj for row in snapshot.runs),
        "owed": state.position.counter_uj - state.position.pending_uj - state.energy_uj,
        "unwatched": snapshot.fault_counts[GPU.id, "unwatched"],
    }


def agent(folder: Path, shown: int) -> None:
    """Count until the end; each page is a byte in `shown` too."""
    clock, directory, hardware = SystemClock(), FakeDirectory(), Hardware()
    writer, state = open_journal(folder, clock, flush_interval_s=0.01)
    ledger = Ledger(directory, boot=BOOT)
    if state is not None:
        ledger.restore(revived(state, clock.monotonic_s(), BOOT, "", directory))
    ledger.register_run("run", "", "")
    meter = Meter(
        SensorSet([hardware], {GPU.id: hardware}),
        ledger,
        clock,
        run_of=lambda _: "run",
        positions=positions(state, BOOT, 0.0),
    )
    writer.start()
    while True:
        for _ in range(4):
            meter.sample()
            time.sleep(0.005)
        meter.attribute()
        ledger.retire(clock.monotonic_s())
        snapshot = ledger.draft(clock.unix_s(), "", {}, positions=meter.positions(), journal=writer.state()).snapshot()
        writer.offer(snapshot)
        assert not writer.take_faults()
        if writer.flushed(snapshot, 60.0):
            os.write(1, msgspec.json.encode(page(snapshot)) + b"\n")
            os.write(shown, b".")


def main(folder: Path, rounds: int) -> None:
    for number in range(rounds):
        pages, shown = os.pipe()
        child = os.fork()
        if child == 0:
            agent(folder, shown)
        os.close(shown)
        if number % 2:
            os.read(pages, 1)
        time.sleep(random.uniform(0.0, 0.2))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(pages)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            raise SystemExit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
