"""Idle processes are read less often, and the laws of the CPU accounts hold all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.model import ProcessId
from aipower.processes.cputime import CpuAccounts
from aipower.processes.procfs import StatRow
from aipower.processes.tiers import IDLE_SCANS, READ_EVERY, TieredScan
from processes.test_cputime_laws import HZ, finish, steps
from processes.world import World


class WorldReader:
    """Reads a simulated kernel, which goes on after each read."""

    def __init__(self, world: World, after: Callable[[], None] = lambda: None, *, same: bool = False) -> None:
        """With `same` a row that has not changed is the very object of before, as `KeptRows` has it."""
        self.reads: Counter[int] = Counter()
        self._same = same
        self._rows: dict[int, StatRow] = {}
        self._world = world
        self._after = after

    def listing(self) -> dict[int, int]:
        return {pid: self._inode(pid) for pid in self._world.procs}

    def begin(self, inodes: Mapping[int, int]) -> None:
        """Nothing is kept."""

    def stat(self, pid: int, *, often: bool = True) -> StatRow | None:  # noqa: ARG002 - nothing is kept
        self.reads[pid] += 1
        row = self._world.row(pid)
        if self._same and row is not None and row == self._rows.get(pid):
            row = self._rows[pid]
        elif row is not None:
            self._rows[pid] = row
        self._after()
        return row

    def token(self, pid: int) -> tuple[int, int] | None:
        token = (self._inode(pid), 0) if pid in self._world.procs else None
        self._after()
        return token

    def _inode(self, pid: int) -> int:
        return 1000 * self._world.procs[pid].started + pid


def scan(tiers: TieredScan, reader: WorldReader, accounts: CpuAccounts) -> Counter[ProcessId]:
    inodes = reader.listing()
    return Counter(accounts.advance(tiers.rows(accounts.oldest_first(inodes), inodes)).own_ticks)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.booleans(), st.booleans())
def test_never_more_than_the_truth_and_all_of_it_once_all_is_reaped(
    draw: st.DataObject, reuse: bool, same: bool
) -> None:
    world, accounts = World(), CpuAccounts("boot", HZ, credit_first=True)
    reader = WorldReader(world, lambda: steps(world, draw, 1, reuse=reuse), same=same)
    tiers = TieredScan(reader)
    credit: Counter[ProcessId] = Counter()
    for _ in range(draw.draw(st.integers(1, 12))):
        if draw.draw(st.booleans()):
            steps(world, draw, 12, reuse=reuse)
        credit += scan(tiers, reader, accounts)
        assert credit.total() <= world.truth
    finish(world, accounts, credit)
    assert credit.total() == world.truth


@settings(max_examples=100, deadline=None)
@given(st.data(), st.booleans())
def test_a_quiet_world_is_credited_a_few_scans_late(draw: st.DataObject, same: bool) -> None:
    world, accounts = World(), CpuAccounts("boot", HZ, credit_first=True)
    reader = WorldReader(world, same=same)
    tiers = TieredScan(reader)
    credit: Counter[ProcessId] = Counter()
    for _ in range(draw.draw(st.integers(1, 12))):
        if draw.draw(st.booleans()):
            steps(world, draw, 12)
        credit += scan(tiers, reader, accounts)
    for _ in range(READ_EVERY + 1):
        credit += scan(tiers, reader, accounts)
    assert credit.total() == world.truth


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_row_that_is_the_same_as_before_brings_what_an_equal_one_would(draw: st.DataObject) -> None:
    world = World()
    twins = [(WorldReader(world, same=same), CpuAccounts("boot", HZ, credit_first=True)) for same in (False, True)]
    tiers = [TieredScan(reader) for reader, _ in twins]
    for _ in range(draw.draw(st.integers(1, 12))):
        steps(world, draw, 8, reuse=True)
        found = [scan(each, *twin) for each, twin in zip(tiers, twins, strict=True)]
        assert found[0] == found[1]


def sleepers(count: int) -> tuple[World, WorldReader, TieredScan, CpuAccounts]:
    world, accounts = World(), CpuAccounts("boot", HZ, credit_first=True)
    for _ in range(count):
        world.fork(1)
    reader = WorldReader(world)
    return world, reader, TieredScan(reader), accounts


def test_sleepers_are_read_at_every_fourth_scan() -> None:
    _, reader, tiers, accounts = sleepers(40)
    for _ in range(IDLE_SCANS + 1):
        scan(tiers, reader, accounts)
    reader.reads.clear()
    for _ in range(READ_EVERY):
        scan(tiers, reader, accounts)
    assert set(reader.reads.values()) == {1}
    assert len(reader.reads) == 41


def test_a_sleeper_that_wakes_is_credited_within_four_scans_and_read_at_each_from_then_on() -> None:
    world, reader, tiers, accounts = sleepers(5)
    for _ in range(9):
        scan(tiers, reader, accounts)
    world.burn(3, 7)
    found = [scan(tiers, reader, accounts).total() for _ in range(READ_EVERY)]
    assert sorted(found) == [0, 0, 0, 7]
    reader.reads.clear()
    for _ in range(IDLE_SCANS):
        scan(tiers, reader, accounts)
    assert reader.reads[3] == IDLE_SCANS


def test_the_end_of_a_sleeper_is_seen_at_once() -> None:
    world, reader, tiers, accounts = sleepers(5)
    for _ in range(9):
        scan(tiers, reader, accounts)
    world.exit(3)
    world.reap(3)
    inodes = reader.listing()
    assert {row.pid for row in tiers.rows(sorted(inodes), inodes)} == {1, 2, 4, 5, 6}
    world.fork(1, 4711)
    inodes = reader.listing()
    assert 4711 in {row.pid for row in tiers.rows(sorted(inodes), inodes)}


def leave(world: World, *pids: int) -> None:
    for pid in pids:
        world.exit(pid)
        world.reap(pid)


def stay_as_a_zombie_and_lose_a_child(world: World) -> None:
    world.exit(2)
    leave(world, 3)


def use_a_pid_again(world: World) -> None:
    leave(world, 3)
    world.fork(2, 3)


DEEDS: dict[str, Callable[[World], None]] = {
    "a child leaves": lambda world: leave(world, 3),
    "a parent leaves": lambda world: leave(world, 2),
    "parent and child leave": lambda world: leave(world, 2, 3),
    "a zombie did not reap its child": stay_as_a_zombie_and_lose_a_child,
    "a pid is used again": use_a_pid_again,
}


@pytest.mark.parametrize("phase", range(READ_EVERY))
@pytest.mark.parametrize("meanwhile", [False, True])
@pytest.mark.parametrize("deed", DEEDS)
def test_whoever_rests_when_its_family_changes_is_credited_once(deed: str, phase: int, meanwhile: bool) -> None:
    """1 is the parent of 2, 2 of 3; all sleep until the deed, which is before or after the listing of a scan."""
    world, accounts = World(), CpuAccounts("boot", HZ, credit_first=True)
    world.fork(1)
    world.burn(world.fork(2), 10)
    reader = WorldReader(world)
    tiers = TieredScan(reader)
    credit: Counter[ProcessId] = Counter()
    for _ in range(IDLE_SCANS + 2 + phase):
        credit += scan(tiers, reader, accounts)
    stale = reader.listing()
    DEEDS[deed](world)
    inodes = stale if meanwhile else reader.listing()
    credit.update(accounts.advance(tiers.rows(accounts.oldest_first(inodes), inodes)).own_ticks)
    assert credit.total() <= world.truth
    for pid in [pid for pid in world.procs if pid > 2 and not world.procs[pid].zombie]:
        leave(world, pid)
    for _ in range(2 * READ_EVERY):
        credit += scan(tiers, reader, accounts)
        assert credit.total() <= world.truth
    finish(world, accounts, credit)
    assert credit.total() == world.truth
