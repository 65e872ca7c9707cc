"""CPU time is credited once: laws over random worlds that change between the reads of a scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.model import ProcessId
from aipower.processes.cputime import CpuAccounts
from aipower.processes.procfs import StatRow
from processes.world import World

HZ = 100


def step(world: World, draw: st.DataObject, *, nested: bool = True, reuse: bool = False) -> None:
    """One random event of the world."""
    deed = draw.draw(st.sampled_from(["fork", "fork", "burn", "burn", "exit", "reap", "subreaper"]))
    living = world.living()
    actor = living[draw.draw(st.integers(0, len(living) - 1))]
    zombies = world.zombies()
    if deed == "fork" and len(living) < 12:
        free = [pid for pid in range(2, 30) if pid not in world.procs]
        world.fork(actor.pid, draw.draw(st.sampled_from(free)) if reuse else None)
    elif deed == "burn":
        world.burn(actor.pid, draw.draw(st.integers(1, 9)))
    elif deed == "exit" and actor.pid != 1:
        world.exit(actor.pid)
    elif deed == "reap" and zombies:
        world.reap(zombies[draw.draw(st.integers(0, len(zombies) - 1))].pid)
    elif deed == "subreaper" and nested:
        actor.subreaper = True


def steps(world: World, draw: st.DataObject, most: int, *, nested: bool = True, reuse: bool = False) -> None:
    for _ in range(draw.draw(st.integers(0, most))):
        step(world, draw, nested=nested, reuse=reuse)


def scan(
    world: World, order: list[int], draw: st.DataObject, *, nested: bool = True, reuse: bool = False
) -> Iterator[StatRow]:
    """Rows read one after the other while the world goes on."""
    for pid in order:
        row = world.row(pid)
        if row is not None:
            yield row
        steps(world, draw, 2, nested=nested, reuse=reuse)


def finish(world: World, accounts: CpuAccounts, credit: Counter[ProcessId]) -> None:
    """Ends and reaps all but process 1, then scans the quiet world."""
    for pid in [p.pid for p in world.living() if p.pid != 1]:
        world.exit(pid)
    while world.zombies():
        world.reap(world.zombies()[0].pid)
    row = world.row(1)
    assert row is not None
    credit.update(accounts.advance([row]).own_ticks)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_never_more_than_the_truth_and_exactly_the_truth_once_all_is_reaped(draw: st.DataObject) -> None:
    world, accounts = World(), CpuAccounts("boot", HZ, credit_first=True)
    credit: Counter[ProcessId] = Counter()
    for _ in range(draw.draw(st.integers(1, 6))):
        steps(world, draw, 12)
        order = accounts.oldest_first(world.procs)
        credit.update(accounts.advance(scan(world, order, draw)).own_ticks)
        assert credit.total() <= world.truth
    finish(world, accounts, credit)
    assert credit.total() == world.truth


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_quiet_world_is_credited_but_for_what_vanished_between_two_reads(draw: st.DataObject) -> None:
    """A second scan of a world at rest heals every undercount but that of reapers which were not asked."""
    world, accounts = World(), CpuAccounts("boot", HZ, credit_first=True)
    credit: Counter[ProcessId] = Counter()
    for _ in range(draw.draw(st.integers(1, 5))):
        steps(world, draw, 12)
        order = accounts.oldest_first(world.procs)
        credit.update(accounts.advance(scan(world, order, draw)).own_ticks)
    for _ in range(2):
        rows = [row for pid in accounts.oldest_first(world.procs) if (row := world.row(pid))]
        credit.update(accounts.advance(rows).own_ticks)
    assert credit.total() == world.truth


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_reused_pids_put_newborn_children_before_their_parents(draw: st.DataObject) -> None:
    """Then time may be held back for a scan, but is still never doubled."""
    world, accounts = World(), CpuAccounts("boot", HZ, credit_first=True)
    credit: Counter[ProcessId] = Counter()
    for _ in range(draw.draw(st.integers(1, 6))):
        steps(world, draw, 12, reuse=True)
        order = accounts.oldest_first(world.procs)
        credit.update(accounts.advance(scan(world, order, draw, reuse=True)).own_ticks)
        assert credit.total() <= world.truth
    finish(world, accounts, credit)
    assert credit.total() == world.truth


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_what_was_burned_before_the_first_scan_is_never_credited(draw: st.DataObject) -> None:
    world, accounts = World(), CpuAccounts("boot", HZ)
    credit: Counter[ProcessId] = Counter()
    steps(world, draw, 30)
    first = [row for pid in sorted(world.procs) if (row := world.row(pid))]
    assert not accounts.advance(first, world.now).own_ticks
    before, born = world.truth, world.now
    assert all(row.started_ticks <= born for row in first)
    for _ in range(draw.draw(st.integers(1, 4))):
        steps(world, draw, 12, reuse=True)
        began = world.now
        order = accounts.oldest_first(world.procs)
        credit.update(accounts.advance(scan(world, order, draw, reuse=True), began).own_ticks)
        assert credit.total() <= world.truth - before
    finish(world, accounts, credit)
    assert credit.total() == world.truth - before
