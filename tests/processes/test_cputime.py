"""CPU time case by case; the laws are in test_cputime_laws.py."""

from __future__ import annotations

import pytest

from aipower.model import ProcessId
from aipower.processes.cputime import CpuAccounts
from aipower.processes.procfs import StatRow

HZ = 100


def row(pid: int, ppid: int, own: int, reaped: int = 0, *, started: int = 0, state: str = "S") -> StatRow:
    return StatRow(pid, ppid, "p", state, own, 0, reaped, 0, 1, started, 0)


def by_pid(accounts: CpuAccounts, *rows: StatRow, began: int | None = None) -> dict[int, int]:
    return {process.pid: ticks for process, ticks in accounts.advance(rows, began).own_ticks.items()}


@pytest.fixture
def accounts() -> CpuAccounts:
    return CpuAccounts("boot", HZ)


def test_the_first_scan_is_a_baseline_and_growth_is_credited(accounts: CpuAccounts) -> None:
    assert by_pid(accounts, row(1, 0, 500, 700), row(2, 1, 30)) == {}
    assert by_pid(accounts, row(1, 0, 501, 700), row(2, 1, 70)) == {1: 1, 2: 40}
    assert by_pid(accounts, row(1, 0, 501, 700), row(2, 1, 70)) == {}


def test_seconds_are_ticks_over_the_rate(accounts: CpuAccounts) -> None:
    accounts.advance([row(1, 0, 0), row(2, 1, 0)])
    spent = accounts.advance([row(1, 0, 50), row(2, 1, 25)])
    assert spent.own_s == {ProcessId("boot", 1, 0): 0.5, ProcessId("boot", 2, 0): 0.25}
    assert spent.total_s == 0.75


def test_a_newborn_is_credited_with_all_that_it_did(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), began=1000)
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 30, 12, started=1005), began=1100) == {2: 42}


def test_a_newborn_of_the_first_scan_may_be_credited_on_demand() -> None:
    accounts = CpuAccounts("boot", HZ, credit_first=True)
    assert by_pid(accounts, row(1, 0, 3), row(2, 1, 30, 12)) == {1: 3, 2: 42}


def test_an_old_process_that_comes_into_view_brings_no_past(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), began=1000)
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 9000, 500, started=10), began=1100) == {}
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 9001, 500, started=10), began=1200) == {2: 1}


def test_children_that_no_scan_saw_are_their_parents(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), row(2, 1, 5))
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 6, 80)) == {2: 81}


def test_a_child_that_was_seen_is_not_credited_again_to_its_parent(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), row(2, 1, 0))
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 0), row(3, 2, 40)) == {3: 40}
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 0, 47)) == {2: 7}


def test_a_child_of_before_the_first_scan_owes_its_whole_life(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), row(2, 1, 0), row(3, 2, 4000))
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 0, 4010)) == {2: 10}


def test_a_parent_read_before_its_child_was_reaped_pays_next_time(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), row(2, 1, 0))
    by_pid(accounts, row(1, 0, 0), row(2, 1, 0), row(3, 2, 40))
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 0)) == {}
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 0, 45)) == {2: 5}


def test_a_whole_branch_that_ended_is_its_grandparents_debt(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), row(2, 1, 0))
    by_pid(accounts, row(1, 0, 0), row(2, 1, 0), row(3, 2, 10), row(4, 3, 20))
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 0, 36)) == {2: 6}


def test_an_orphan_reaped_higher_up_is_not_counted_twice(accounts: CpuAccounts) -> None:
    """3 and its child 4 left; 2 waited for 3, but 4 was an orphan that fell to 1."""
    by_pid(accounts, row(1, 0, 0), row(2, 1, 0))
    by_pid(accounts, row(1, 0, 0), row(2, 1, 0), row(3, 2, 10), row(4, 3, 20))
    assert by_pid(accounts, row(1, 0, 0, 20), row(2, 1, 0, 10)) == {}
    assert by_pid(accounts, row(1, 0, 0, 23), row(2, 1, 0, 11)) == {1: 3, 2: 1}


def test_a_zombie_keeps_its_time_until_it_is_reaped(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), row(2, 1, 0))
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 9, state="Z")) == {2: 9}
    assert by_pid(accounts, row(1, 0, 0), row(2, 1, 9, state="Z")) == {}
    assert by_pid(accounts, row(1, 0, 0, 9)) == {}


def test_a_reused_pid_starts_a_new_account(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), row(2, 1, 50), began=0)
    assert by_pid(accounts, row(1, 0, 0, 60), row(2, 1, 3, started=70), began=80) == {1: 10, 2: 3}


def test_times_that_run_backwards_are_no_negative_work(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 100, 100))
    assert by_pid(accounts, row(1, 0, 90, 90)) == {}
    assert by_pid(accounts, row(1, 0, 101, 101)) == {1: 2}


def test_a_child_read_before_its_parent_holds_the_parents_growth_back(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), row(5, 1, 0))
    assert by_pid(accounts, row(1, 0, 0), row(3, 5, 30), row(5, 1, 0, 30)) == {3: 30}
    assert by_pid(accounts, row(1, 0, 0), row(5, 1, 0, 31)) == {5: 1}


def test_an_orphan_is_not_counted_twice_where_its_reaper_was_read_last(accounts: CpuAccounts) -> None:
    """5 was read alive, then it left, and its child 7 was reaped by 1 before 1 was read."""
    by_pid(accounts, row(1, 0, 0), row(5, 1, 0), row(7, 5, 20))
    assert by_pid(accounts, row(5, 1, 0), row(1, 0, 0, 20)) == {}
    assert by_pid(accounts, row(1, 0, 0, 21)) == {1: 1}


def test_what_leaves_our_sight_burdens_no_one(accounts: CpuAccounts) -> None:
    """A process whose parent is outside our PID namespace shows 0 as its parent."""
    by_pid(accounts, row(1, 0, 0), row(9, 0, 0))
    assert by_pid(accounts, row(1, 0, 0), row(9, 0, 500)) == {9: 500}
    assert by_pid(accounts, row(1, 0, 0, 7)) == {1: 7}


def test_a_child_of_a_parent_that_was_never_seen_waits_for_the_next_scan(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), began=100)
    assert by_pid(accounts, row(1, 0, 0), row(8, 7, 5, started=110), began=120) == {}
    assert by_pid(accounts, row(1, 0, 0), row(8, 1, 6, started=110), began=140) == {8: 6}


def test_a_child_of_a_hidden_parent_is_taken_at_the_second_meeting(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(1, 0, 0), began=100)
    by_pid(accounts, row(1, 0, 0), row(8, 7, 5, started=110), row(9, 8, 1, started=111), began=120)
    assert by_pid(accounts, row(1, 0, 0), row(8, 7, 6, started=110), row(9, 8, 2, started=111), began=140) == {
        8: 6,
        9: 2,
    }


def test_parents_that_form_a_circle_end_somewhere(accounts: CpuAccounts) -> None:
    by_pid(accounts, row(2, 3, 0), row(3, 2, 0), row(4, 3, 9))
    assert by_pid(accounts, row(2, 3, 1), row(3, 2, 1, 12)) == {2: 1, 3: 3}
    assert by_pid(accounts) == {}


def test_reading_order_is_by_age_with_strangers_last(accounts: CpuAccounts) -> None:
    accounts.advance([row(1, 0, 0), row(900, 1, 0, started=5), row(30, 900, 0, started=70)])
    assert accounts.oldest_first([4, 30, 900, 1, 2]) == [1, 900, 30, 2, 4]


def test_nothing_is_kept_of_the_dead(accounts: CpuAccounts) -> None:
    for start in range(2000):
        accounts.advance([row(1, 0, 0), row(2 + start % 50, 1, 1, started=start)])
    assert len(accounts._accounts) == 2
