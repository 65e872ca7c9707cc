"""What the campaigns have found, each in small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from aipower.arguments import Parser
from aipower.daemon.served import Served
from aipower.errors import UsageError
from aipower.ledger import Ledger
from aipower.model import Snapshot
from daemon.rigs import Rig, Sensor
from daemon.runs.rigs import Caller, eventually, rig
from fakes import GPU, FakeClock
from journal.books import Directory, live

RETENTION_S = 3.0


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
    rig.tick()
    shown: list[int] = []
    for pause_s in (20.0, 0.0, 0.0):
        slow.pause_s = pause_s
        rig.tick()
        shown.append(served.snapshot().fault_counts["", "late"])
        clock.sleep(1.0)
    assert shown == [1, 1, 1]


def of(ledger: Ledger) -> dict[int, int]:
    """Energy by pid, as a page shows it now."""
    rows = ledger.snapshot(0.0, "", {}).processes
    return {row.info.id.pid: row.active_uj + row.context_uj for row in rows if row.info is not None}


def test_an_account_that_was_lost_comes_back_after_the_retention_only() -> None:
    """It came back, from 0 on, between two scrapes: the series fell."""
    directory = Directory()
    ledger = Ledger(directory, 1, RETENTION_S)
    shown: list[Sequence[int]] = []
    for second, pid in enumerate([1, 2, 2, 1, 1, 1, 1, 1, 1, 1]):
        live(ledger, directory, [(GPU, 10**6 * 2**second, {(pid, 1): 1.0}, set())], since=second)
        ledger.retire(float(second), RETENTION_S)
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
