"""Who descends from whom, over a made /proc."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipower.processes.kin import Descendants
from aipower.processes.procfs import ProcFs, StatRow
from processes.proctree import ProcTree

US = 50


class CountingProcFs(ProcFs):
    """Notes whose rows are read."""

    __slots__ = ("read",)

    def __init__(self, root: Path) -> None:
        super().__init__(root, 100)
        self.read: list[int] = []

    def stat(self, pid: int) -> StatRow | None:
        self.read.append(pid)
        return super().stat(pid)


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    tree = ProcTree(tmp_path)
    tree.put(1, 0)
    tree.put(9, 1)
    tree.put(US, 9)
    tree.put(60, US)
    return tree


def pids(kin: Descendants) -> list[int]:
    return [row.pid for row in kin.scan()]


def test_it_finds_children_of_children_and_no_one_else(tree: ProcTree) -> None:
    tree.put(61, 60)
    tree.put(62, 61)
    tree.put(70, 9)
    assert pids(Descendants(ProcFs(tree.root), US)) == [60, 61, 62]


def test_whoever_was_there_before_is_not_read(tree: ProcTree) -> None:
    procfs = CountingProcFs(tree.root)
    before = procfs.listing()
    tree.put(70, US, started=200)
    tree.put(71, 70, started=201)
    kin = Descendants(procfs, US, since_ticks=200, before=before)
    assert pids(kin) == [70, 71]
    assert procfs.read == [70, 71]
    assert pids(kin) == [70, 71]


def test_a_pid_that_was_another_s_before_is_read(tree: ProcTree) -> None:
    procfs = ProcFs(tree.root)
    before = {**procfs.listing(), 9: 1}
    tree.drop(60)
    tree.put(60, US, started=200)
    before[60] = -1  # the folder of a new process is another one
    assert pids(Descendants(procfs, US, since_ticks=200, before=before)) == [60]


def test_a_newborn_with_a_lower_pid_than_its_parent_is_found(tree: ProcTree) -> None:
    kin = Descendants(ProcFs(tree.root), US)
    kin.scan()
    tree.put(80, 60, started=200)
    tree.put(3, 80, started=201)
    assert pids(kin) == [60, 80, 3]
    assert pids(kin) == [60, 80, 3]


def test_orphans_that_fell_to_the_ancestor_stay(tree: ProcTree) -> None:
    tree.put(61, 60)
    kin = Descendants(ProcFs(tree.root), US)
    kin.scan()
    tree.drop(60)
    tree.put(61, US)
    assert pids(kin) == [61]


def test_an_orphan_that_was_never_seen_before_is_found(tree: ProcTree) -> None:
    kin = Descendants(ProcFs(tree.root), US)
    kin.scan()
    tree.put(75, US)
    assert pids(kin) == [60, 75]


def test_ignored_children_and_theirs_are_left_out(tree: ProcTree) -> None:
    tree.put(55, US)
    tree.put(56, 55)
    assert pids(Descendants(ProcFs(tree.root), US, frozenset({55}))) == [60]


def test_children_from_a_former_life_are_left_out(tree: ProcTree) -> None:
    tree.put(55, US, started=90)
    tree.put(56, 55, started=300)
    assert pids(Descendants(ProcFs(tree.root), US, since_ticks=100)) == [60]


def test_a_members_pid_that_was_reused_by_a_stranger_is_let_go(tree: ProcTree) -> None:
    kin = Descendants(ProcFs(tree.root), US)
    kin.scan()
    tree.put(60, 1, started=999)
    assert pids(kin) == []


def test_a_members_pid_that_was_reused_by_another_member_is_kept(tree: ProcTree) -> None:
    tree.put(61, 60)
    kin = Descendants(ProcFs(tree.root), US)
    kin.scan()
    tree.put(61, 60, started=999)
    assert [(row.pid, row.started_ticks) for row in kin.scan()] == [(60, 100), (61, 999)]


def test_a_strangers_pid_that_was_reused_by_a_descendant_is_found_in_time(tree: ProcTree) -> None:
    tree.put(70, 9)
    kin = Descendants(ProcFs(tree.root), US)
    kin.scan()
    tree.put(70, 60, started=999)
    assert [60, 70] in [pids(kin) for _ in range(64)]


def test_strangers_are_read_once(tree: ProcTree) -> None:
    for pid in range(100, 200):
        tree.put(pid, 9)
    procfs = CountingProcFs(tree.root)
    kin = Descendants(procfs, US)
    kin.scan()
    procfs.read.clear()
    kin.scan()
    assert procfs.read == [60]


def test_who_vanishes_between_the_listing_and_the_read_is_left_out(tree: ProcTree) -> None:
    (tree.root / "77").mkdir()
    assert pids(Descendants(ProcFs(tree.root), US)) == [60]
