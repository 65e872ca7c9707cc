"""What the agent itself has used: exact, also where its account had to make room for others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aipower.attribution.attribute import without_usage
from aipower.attribution.baseline import Floor
from aipower.books.ledger import Ledger
from aipower.model import EnergyDelta, OwnEnergy, ProcessId, Usage
from fakes import CPU, GPU, FakeDirectory, attributed, process

OWN, OTHER = process(1), process(2)
BUSY_S = st.just(0.0) | st.floats(0.01, 3)
WINDOWS = st.lists(st.tuples(st.integers(10**6, 10**9), BUSY_S, BUSY_S), max_size=20)


def post(ledger: Ledger, energy_uj: int, busy_s: dict[ProcessId, float]) -> int:
    """The microjoules that `OWN` got."""
    delta = EnergyDelta(CPU, 0.0, 1.0, energy_uj)
    made = attributed(delta, Usage(0.0, 1.0, busy_s, samples=6), Floor(0), dict(busy_s.items()))
    ledger.post(made)
    return made.active_uj.get(OWN, 0)


def own(ledger: Ledger) -> tuple[OwnEnergy, ...]:
    return ledger.draft(0.0, "", {}).snapshot().own


@given(WINDOWS)
def test_it_is_the_sum_of_its_parts_of_all_windows(windows: list[tuple[int, float, float]]) -> None:
    """There is room for one account, which the other process mostly has."""
    ledger = Ledger(FakeDirectory(), max_processes=1, own=OWN)
    expected_uj = whole_uj = 0
    for energy_uj, own_s, other_s in windows:
        busy_s = {who: span_s for who, span_s in ((OTHER, other_s), (OWN, own_s)) if span_s > 0}
        expected_uj += post(ledger, energy_uj, busy_s)
        whole_uj += energy_uj if busy_s else 0
    found = own(ledger)
    assert sum(row.energy_uj for row in found) == expected_uj
    assert sum(row.whole_uj for row in found) == whole_uj


def test_what_was_used_while_no_agent_ran_is_no_part_of_the_whole() -> None:
    ledger = Ledger(FakeDirectory(), own=OWN)
    ledger.post(without_usage(EnergyDelta(CPU, 0.0, 9e4, 10**12), Floor(0)))
    assert own(ledger) == ()
    got_uj = post(ledger, 1000, {OWN: 1.0, OTHER: 1.0})
    assert own(ledger) == (OwnEnergy(CPU, got_uj, 1000),)
    assert got_uj == 500


def test_a_device_on_which_it_does_nothing_counts_for_the_whole() -> None:
    ledger = Ledger(FakeDirectory(), own=OWN)
    delta = EnergyDelta(GPU, 0.0, 1.0, 70)
    ledger.post(attributed(delta, Usage(0.0, 1.0, {}, samples=6), Floor(70), {}))
    assert own(ledger) == (OwnEnergy(GPU, 0, 70),)


def test_nobody_is_asked_for_nothing() -> None:
    ledger = Ledger(FakeDirectory())
    post(ledger, 1000, {OWN: 1.0})
    assert own(ledger) == ()
