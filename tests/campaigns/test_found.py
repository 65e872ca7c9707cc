"""What the campaigns have found, each in small."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.arguments import Parser
from aipower.attribution.choose import apportioner_of
from aipower.attribution.evidence import MOST_COLUMNS, Evidence
from aipower.attribution.samples import Covariance
from aipower.books.ledger import Ledger
from aipower.daemon.sampling.served import Served
from aipower.errors import UsageError
from aipower.model import EnergyDelta, ProcessId, ProcessInfo, Snapshot, Usage
from attribution.worlds import row_of
from daemon.rigs import Rig, Sensor
from daemon.runs.rigs import Caller, eventually, rig
from fakes import CPU, GPU, FakeClock
from journal.books import Directory, again, live, new_ledger, shot

RETENTION_S = 3.0
TURNOVER = 5
"""Windows between two new programs."""


def test_programs_that_come_and_go_cost_no_more_with_time() -> None:
    """Each left a column for ever, and a solution costs the third power of their number: seconds after an hour."""
    dice, names = random.Random(1), dict[ProcessId, str]()
    apportioner = apportioner_of(CPU, names.__getitem__, lambda _: "", 0)
    working: list[ProcessId] = []
    for window in range(600):
        if window % TURNOVER == 0:
            newcomer = ProcessId("boot", window + 1, 1)
            names[newcomer] = f"program{window}"
            working = [*working[-3:], newcomer]
        busy_s = {process: dice.uniform(0.1, 0.9) for process in working}
        energy_uj = round(1e6 * (40 + 12 * sum(busy_s.values())))
        delta = EnergyDelta(CPU, float(window), window + 1.0, energy_uj)
        (found,) = apportioner.add(delta, Usage(delta.start_s, delta.end_s, busy_s, capacity_s=16.0))
    assert len(apportioner._old.columns) <= MOST_COLUMNS
    assert found.idle_uj == pytest.approx(40e6, rel=0.1), "what was forgotten has not spoilt the rest"


def drawn(**shares: float) -> Covariance:
    """Of columns that have these shares of the looks."""
    return Covariance(tuple(shares), [0.1 * share for share in shares.values()], list(shares.values()), 0.1)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20),
    st.floats(1, 500),
)
def test_what_is_forgotten_at_its_intensity_was_never_there(
    windows: list[tuple[float, float, float]], intensity_w: float
) -> None:
    whole, without = Evidence(), Evidence()
    for first_s, second_s, gone_s in windows:
        energy_j = 20 * first_s + 30 * second_s
        seconds = {"first": first_s, "gone": gone_s, "second": second_s}
        whole.add(row_of(seconds, energy_j + intensity_w * gone_s, drawn(first=0.2, gone=0.3, second=0.4)))
        kept = {"first": first_s, "second": second_s}
        without.add(row_of(kept, energy_j, drawn(first=0.2, second=0.4)))
    whole.forget("gone", intensity_w)
    assert whole.columns == without.columns
    assert whole.energy_j == pytest.approx(without.energy_j, abs=1e-6)
    assert whole._energies == pytest.approx(without._energies, abs=1e-6)
    assert whole._seconds2 == without._seconds2
    assert whole._noise2 == without._noise2
    assert whole._energy2 == pytest.approx(without._energy2, rel=1e-6, abs=1e-3)
    assert whole.total_s("second") == without.total_s("second")


def test_a_tick_that_takes_too_long_is_late_for_good() -> None:
    """The page told of it while it lasted, and forgot it afterwards."""
    clock = FakeClock(100.0)

    @dataclass
    class Slow:
        pause_s: float = 0.0

        def act(self) -> None:
            clock.sleep(self.pause_s)

    slow = Slow()
    rig = Rig(clock, [Sensor(clock, slow.act)])
    served = Served(rig.sampler, Snapshot(1.0, "0"))
    shown: list[int] = []
    for slow.pause_s in (0.0, 20.0, 0.0, 0.0):
        rig.tick()
        shown.append(served.snapshot().fault_counts.get(("", "late"), 0))
        clock.sleep(1.0)
    assert shown[0] == 0
    assert shown == sorted(shown)
    assert shown[-1] == 1


def of(ledger: Ledger) -> dict[int, int]:
    """Energy by pid, as a page shows it now."""
    rows = ledger.draft(0.0, "", {}).snapshot().processes
    return {row.info.id.pid: row.active_uj + row.context_uj for row in rows if row.info is not None}


def test_an_account_that_was_lost_comes_back_after_the_retention_only() -> None:
    """It came back, from 0 on, between two scrapes: the series fell."""
    directory = Directory()
    ledger = Ledger(directory, 1, RETENTION_S)
    shown: list[Sequence[int]] = []
    for second, pid in enumerate([1, 2, 2, 1, 1, 1, 1, 1, 1, 1]):
        live(ledger, directory, [(GPU, 10**6 * 2**second, {(pid, 1): 1.0}, set())], since=second)
        ledger.retire(float(second))
        shown.append(tuple(of(ledger)))
    lost = shown.index((2,))
    back = next(second for second in range(lost, len(shown)) if shown[second] == (1,))
    assert back - lost >= RETENTION_S
    assert shown[-1] == (1,)


@pytest.mark.parametrize("word", ["--x\n2026-11-23 INFO all is well", "--\x1b[2J", "--\x7f", "--\udcff"])
def test_a_flag_that_cannot_be_printed_is_told_in_one_line(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        Parser(prog="aipower").parse_args([word])
    assert str(caught.value).isprintable()


def test_an_agent_that_ends_under_its_callers_says_nothing_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each caller who was there left a traceback in the log."""
    with rig(tmp_path / "agent.sock") as running:
        callers = [Caller(running.path) for _ in range(3)]
        for caller in callers:
            assert caller.ask(do="open")["ok"]
        eventually(lambda: len(callers[0].ask(do="runs")["runs"]) == len(callers), "all runs")
    for caller in callers:
        assert caller.hear() == {}
        caller.close()
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.name == "asyncio" and record.levelname == "ERROR"]


def test_who_has_the_pid_and_name_of_one_before_a_reboot_goes_on_with_the_series() -> None:
    """The account counted as ended: after the retention it was withdrawn, and the series began at 0."""
    directory = Directory()
    before = new_ledger(directory, boot="first")
    live(before, directory, [(GPU, 10**6, {(1, 1): 1.0}, set())])
    state = replace(shot(before), boot="first")
    rows = tuple(replace(row, info=row.info and renamed(row.info)) for row in state.processes)
    after = again(replace(state, processes=rows), directory, 10.0)
    for second in range(10, 20):
        live(after, directory, [(GPU, 10**6, {(1, 1): 1.0}, set())], since=second)
        after.retire(second + 0.5)
    assert of(after) == {1: 11 * (10**6 - 10**6 // 7)}, "all but the idle part"


def renamed(info: ProcessInfo) -> ProcessInfo:
    """The same process of another boot, in which it had started later."""
    return replace(info, id=ProcessId("first", info.id.pid, info.id.started_ticks + 5))
