"""The energy of phases: shared out of what the run's processes have used, to the microjoule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.model import Attribution, EnergyDelta
from aipower.record.phases.book import NOBODY, Part, PhaseBook, Sensed
from aipower.record.phases.levels import ANYBODY
from aipower.record.phases.teller import OUTSIDE
from fakes import GPU, process
from record.phases.told import PID, begin, end, marks

TRAIN, EVAL, STEP = ("train",), ("eval",), ("train", "step")
START_S = 10.0


def window(number: int, power_w: float = 200.0, energy_uj: int | None = None) -> tuple[EnergyDelta, list[EnergyDelta]]:
    """One second of ten pieces; the window may be calibrated to another energy than they have."""
    start_s = START_S + number
    pieces = [EnergyDelta(GPU, start_s + k / 10, start_s + (k + 1) / 10, round(power_w * 1e5)) for k in range(10)]
    return EnergyDelta(GPU, start_s, start_s + 1.0, energy_uj or round(power_w * 1e6)), pieces


def post(
    book: PhaseBook, number: int, owners_uj: dict[int, int], energy_uj: int = 200_000_000, idle_uj: int = 0
) -> None:
    own_uj = {process(100 + pid): used_uj for pid, used_uj in owners_uj.items()}
    rest_uj = energy_uj - idle_uj - sum(own_uj.values())
    delta = EnergyDelta(GPU, START_S + number, START_S + number + 1.0, energy_uj)
    book.posted(Attribution(delta, idle_uj, {}, own_uj, rest_uj), owners_uj)


def run(book: PhaseBook, windows: int) -> None:
    for number in range(windows):
        book.taken(*window(number), Sensed(0.001))
    book.close()


def test_a_run_in_one_phase_is_that_phase() -> None:
    book = PhaseBook(marks(begin(START_S, 1, "train")))
    run(book, 3)
    for number in range(3):
        post(book, number, {PID: 150_000_000}, idle_uj=50_000_000)
    assert book.parts["GPU-0", TRAIN].own_uj == 450_000_000
    assert book.parts["GPU-0", TRAIN].time_s == pytest.approx(3.0)
    assert book.devices_uj["GPU-0", TRAIN] == pytest.approx(600e6)


def test_windows_before_anybody_told_of_phases_are_outside() -> None:
    heard = marks()
    book = PhaseBook(heard)
    book.taken(*window(0), Sensed())
    book.taken(*window(1), Sensed())
    book.taken(*window(2), Sensed())
    post(book, 0, {NOBODY: 100_000_000})
    heard.feed(begin(START_S + 2, 1, "train"))
    book.close()
    post(book, 1, {NOBODY: 100_000_000})
    post(book, 2, {PID: 100_000_000})
    assert book.parts["GPU-0", OUTSIDE].own_uj == 200_000_000
    assert book.parts["GPU-0", TRAIN].own_uj == 100_000_000
    assert book.devices_uj["GPU-0", OUTSIDE] == pytest.approx(400e6)


def test_who_is_in_no_phase_is_outside_although_others_are_in_one() -> None:
    book = PhaseBook(marks(begin(START_S, 1, "train")))
    run(book, 1)
    post(book, 0, {PID: 120_000_000, NOBODY: 30_000_000})
    assert book.parts["GPU-0", TRAIN].own_uj == 120_000_000
    assert book.parts["GPU-0", OUTSIDE].own_uj == 30_000_000


def test_ranks_have_phases_of_their_own() -> None:
    book = PhaseBook(marks(begin(START_S, 1, "train"), begin(START_S, 1, "eval", pid=8)))
    run(book, 1)
    post(book, 0, {PID: 120_000_000, 8: 30_000_000})
    assert book.parts["GPU-0", TRAIN].own_uj == 120_000_000
    assert book.parts["GPU-0", EVAL].own_uj == 30_000_000
    assert book.parts["GPU-0", TRAIN].shared_uj > 0


def test_where_nobody_knows_who_told_all_that_was_told_counts() -> None:
    book = PhaseBook(marks(begin(START_S, 1, "train"), begin(START_S, 1, "eval", pid=8)))
    run(book, 1)
    post(book, 0, {ANYBODY: 100_000_000})
    assert book.parts["GPU-0", TRAIN].own_uj == book.parts["GPU-0", EVAL].own_uj == 50_000_000


def test_an_idle_level_is_no_work_of_a_phase() -> None:
    book = PhaseBook(marks(begin(START_S, 1, "load"), end(START_S + 0.5, 1), begin(START_S + 0.5, 2, "train")))
    start_s = START_S
    powers_w = [50.0] * 5 + [250.0] * 5
    pieces = [
        EnergyDelta(GPU, start_s + k / 10, start_s + (k + 1) / 10, round(w * 1e5)) for k, w in enumerate(powers_w)
    ]
    book.taken(EnergyDelta(GPU, start_s, start_s + 1, 150_000_000), pieces, Sensed(0.001))
    book.close()
    post(book, 0, {PID: 100_000_000}, energy_uj=150_000_000, idle_uj=50_000_000)
    assert book.parts["GPU-0", TRAIN].own_uj == pytest.approx(100e6, rel=0.01)
    assert book.parts["GPU-0", ("load",)].own_uj == pytest.approx(0, abs=1e6)


def test_what_nobody_is_named_for_may_be_of_the_phases_of_its_window() -> None:
    book = PhaseBook(marks(begin(START_S, 1, "train")))
    run(book, 1)
    post(book, 0, {PID: 100_000_000})
    assert book.parts["GPU-0", TRAIN].hidden_uj == pytest.approx(100e6)


def test_pieces_are_calibrated_as_their_window() -> None:
    book = PhaseBook(marks(begin(START_S, 1, "train")))
    book.taken(*window(0, 200.0, 220_000_000), Sensed())
    book.close()
    assert book.devices_uj["GPU-0", TRAIN] == pytest.approx(220e6)


told = st.lists(
    st.tuples(
        st.booleans(),
        st.floats(9.0, 17.0),
        st.integers(7, 8),
        st.integers(1, 4),
        st.integers(0, 4),
        st.sampled_from("ab"),
    ),
    max_size=40,
)


@given(
    told,
    st.lists(
        st.tuples(st.integers(0, 10**8), st.integers(0, 5 * 10**7), st.integers(0, 5 * 10**7)), min_size=6, max_size=6
    ),
)
def test_phases_sum_to_the_run_and_inner_ones_never_exceed_theirs(
    lines: list[tuple[bool, float, int, int, int, str]], used: list[tuple[int, int, int]]
) -> None:
    heard = marks()
    book = PhaseBook(heard)
    lines.sort(key=lambda line: line[1])
    for number in range(6):
        book.taken(*window(number), Sensed(0.001))
        now_s = START_S + number + 1.5
        for begins, at_s, pid, id_, parent, name in [one for one in lines if one[1] <= now_s]:
            heard.feed(begin(at_s, id_, name, parent, pid) if begins else end(at_s, id_, pid))
        lines = [one for one in lines if one[1] > now_s]
    heard.end(START_S + 6)
    heard.close()
    book.close()
    for number, (one_uj, other_uj, nobody_uj) in enumerate(used):
        post(book, number, {7: one_uj, 8: other_uj, NOBODY: nobody_uj})
    parts_uj = {path: part.own_uj for (_, path), part in book.parts.items()}
    assert sum(uj for path, uj in parts_uj.items() if len(path) <= 1) == sum(map(sum, used))
    for path, uj in parts_uj.items():
        if path:
            assert sum(inner for deeper, inner in parts_uj.items() if deeper[:-1] == path) <= uj
    assert sum(uj for (_, path), uj in book.devices_uj.items() if len(path) <= 1) == pytest.approx(6 * 200e6, rel=1e-6)


def test_pieces_that_showed_nothing_share_their_window_by_time() -> None:
    book = PhaseBook(marks(begin(START_S, 1, "train"), end(START_S + 0.5, 1)))
    book.taken(*window(0, 0.0, 10_000_000), Sensed(0.001))
    book.close()
    assert book.devices_uj["GPU-0", TRAIN] == pytest.approx(5e6, rel=0.01)


def test_where_too_much_waits_all_that_was_told_stands_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aipower.record.phases.kept.MOST_NUMBERS", 0)
    book = PhaseBook(marks(begin(START_S, 1, "train"), begin(START_S, 1, "eval", pid=8)))
    run(book, 1)
    post(book, 0, {PID: 100_000_000})
    assert book.parts["GPU-0", TRAIN].own_uj == book.parts["GPU-0", EVAL].own_uj == 50_000_000


def test_only_those_who_worked_are_cut_and_the_others_keep_out() -> None:
    """Two ranks in phases of their own: the device is one's, or a third's who is in no phase."""
    for worker, own, other in ((7, TRAIN, EVAL), (8, EVAL, TRAIN)):
        book = PhaseBook(marks(begin(START_S, 1, "train", pid=7), begin(START_S, 1, "eval", pid=8)))
        for number in range(2):
            book.taken(*window(number), Sensed(0.001, workers=frozenset({worker})))
        book.close()
        post(book, 0, {worker: 150_000_000})
        assert book.parts["GPU-0", own].own_uj == 150_000_000
        assert book.parts.get(("GPU-0", other), Part()).own_uj == 0
        assert book.devices_uj["GPU-0", TRAIN] > 0 < book.devices_uj["GPU-0", EVAL]
    book = PhaseBook(marks(begin(START_S, 1, "train", pid=7), begin(START_S + 5, 1, "eval", pid=8)))
    for number in range(2):
        book.taken(*window(number), Sensed(0.001, workers=frozenset({8})))
    book.close()
    post(book, 0, {8: 150_000_000})
    assert book.parts["GPU-0", OUTSIDE].own_uj == 150_000_000
