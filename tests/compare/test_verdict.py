from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.compare.build import compare, judge
from aipower.compare.model import Pair, Question
from aipower.compare.reading import device_key
from aipower.compare.sides import side
from aipower.runrecord import Energies, Intervals, NodeRecord, RunRecord, SeriesRecord
from compare.records import CARD, device, gpu_runs, record

BASE = (700.0, 703.0, 698.0, 701.0, 699.0)


def pair_of(base: list[RunRecord], other: list[RunRecord], question: Question | None = None) -> Pair:
    return compare([side("base", base), side("fast", other)], question).pairs[0]


def scaled(factor: float, start_s: float = 1000.0) -> list[RunRecord]:
    return gpu_runs("fast", [factor * energy_j for energy_j in BASE], start_s=start_s)


def test_a_saving_is_told_in_percent_and_joules() -> None:
    pair = pair_of(gpu_runs("base", BASE), scaled(0.95))
    assert pair.verdict == "less"
    assert pair.headline is not None
    assert pair.headline.percent == pytest.approx(-5)
    assert pair.headline.change == pytest.approx(-0.05 * 700.2, rel=1e-3)
    assert pair.headline.interval_percent is not None
    low, high = pair.headline.interval_percent
    assert low < -5 < high < 0
    assert pair.sentence.startswith("fast uses less energy than base: -5.0")


def test_more_is_more() -> None:
    assert pair_of(gpu_runs("base", BASE), scaled(1.05)).verdict == "more"


def test_the_same_runs_in_another_order_show_nothing() -> None:
    pair = pair_of(gpu_runs("base", BASE), gpu_runs("fast", BASE[::-1], start_s=1000))
    assert pair.verdict == "no difference shown"
    assert pair.headline is not None
    assert pair.headline.percent == pytest.approx(0, abs=1e-9)
    assert "most likely have shown" in pair.sentence


def test_one_run_each_never_saves() -> None:
    pair = pair_of(gpu_runs("base", BASE[:1]), gpu_runs("fast", [350.0], start_s=100))
    assert pair.verdict == "not repeated"
    assert "differs by more than the error of measurement" in pair.sentence
    assert "-r 5" in pair.sentence
    assert pair.repetitions == {}
    assert pair.headline is not None
    assert pair.headline.p is None


def test_one_run_each_within_the_error_of_measurement() -> None:
    pair = pair_of(gpu_runs("base", [700.0], own=0.05), gpu_runs("fast", [690.0], own=0.05))
    assert pair.verdict == "not repeated"
    assert "does not differ by more than" in pair.sentence


def test_one_run_against_many_is_warned_of() -> None:
    pair = pair_of(gpu_runs("base", BASE[:1]), scaled(0.9))
    assert pair.verdict == "less"
    assert any("base is one run: it is taken to vary as fast does" in text for text in pair.warnings)


def test_no_interval_is_made_up_where_nothing_is_known() -> None:
    pair = pair_of(gpu_runs("base", [700.0], own=0.0), gpu_runs("fast", [690.0], own=0.0))
    assert pair.verdict == "not repeated"
    assert pair.headline is not None
    assert pair.headline.interval_percent is None
    walls = [row for row in pair.rows if row.quantity == "wall time"]
    assert walls[0].interval_percent is None


@settings(max_examples=40, deadline=None)
@given(st.floats(0.5, 2.0), st.floats(0, 0.05))
def test_a_threshold_only_takes_verdicts_back(factor: float, limit: float) -> None:
    base, other = side("base", gpu_runs("base", BASE)), side("fast", scaled(factor))
    plain = judge([base, other])[0][0]
    strict = judge([base, other], Question(at_least_percent=100 * limit))[0][0]
    assert strict in {plain, "same", "no difference shown"}


def test_the_same_within_a_limit() -> None:
    pair = pair_of(gpu_runs("base", BASE), scaled(1.0005), Question(at_least_percent=2))
    assert pair.verdict == "same"
    assert "the same energy as base within 2 %" in pair.sentence


def test_a_difference_below_the_limit_is_not_said_to_be_one() -> None:
    question = Question(at_least_percent=5)
    pair = pair_of(gpu_runs("base", BASE), scaled(0.95), question)
    assert pair.verdict == "no difference shown"
    assert "of at least 5 %" in pair.sentence
    assert pair_of(gpu_runs("base", BASE), scaled(0.9), question).verdict == "less"


def test_half_and_double_are_the_same_both_ways_round() -> None:
    there = pair_of(gpu_runs("base", BASE), scaled(0.5)).headline
    back = pair_of(scaled(0.5), gpu_runs("base", BASE)).headline
    assert there is not None
    assert back is not None
    assert there.percent == pytest.approx(-50)
    assert back.percent == pytest.approx(100)
    assert there.p == pytest.approx(back.p)


def test_several_are_ranked_and_their_intervals_hold_together() -> None:
    sides = [side("base", gpu_runs("base", BASE))]
    sides += [side(name, gpu_runs(name, [f * e for e in BASE])) for name, f in (("a", 1.1), ("b", 0.8), ("c", 0.9))]
    found = compare(sides)
    assert [pair.other.label for pair in found.pairs] == ["b", "c", "a"]
    alone = compare([sides[0], sides[2]]).pairs[0].headline
    together = found.pairs[0].headline
    assert alone is not None
    assert together is not None
    assert together.confidence == pytest.approx(1 - 0.05 / 3)
    assert alone.interval_percent is not None
    assert together.interval_percent is not None
    assert together.interval_percent[0] < alone.interval_percent[0]


def test_a_gain_that_both_share_cancels_and_joules_still_have_it() -> None:
    found = pair_of(gpu_runs("base", BASE), scaled(0.5)).headline
    assert found is not None
    assert found.parts.scale_percent == 0
    assert found.interval is not None
    # 5 % of the saving itself
    assert (found.interval[1] - found.interval[0]) / 2 > 0.05 * abs(found.change)


def test_other_devices_add_both_their_scales() -> None:
    others = [
        record([device("gpu", 0.99 * energy_j, id_="GPU-2")], run_id=f"f{n}", start_s=1000 + n)
        for n, energy_j in enumerate(BASE)
    ]
    pair = pair_of(gpu_runs("base", BASE), others)
    assert pair.verdict == "no difference shown"
    assert pair.headline is not None
    assert pair.headline.parts.scale_percent == pytest.approx(100 * math.expm1(math.hypot(0.05, 0.05)), rel=0.01)
    assert any("does not cancel" in text for text in pair.warnings)


def test_the_same_card_in_another_host_is_the_same_card_but_a_processor_is_not() -> None:
    def runs(name: str, kind: str, host: str) -> list[RunRecord]:
        return [record([device(kind, e)], run_id=f"{name}{n}", host=host) for n, e in enumerate(BASE)]

    for kind, scale in (("gpu", 0.0), ("cpu", 7.3)):
        pair = pair_of(runs("a", kind, "one"), runs("b", kind, "two"))
        assert pair.headline is not None
        assert pair.headline.parts.scale_percent == pytest.approx(scale, abs=0.1)
        assert any(text.startswith("different hosts") for text in pair.warnings)


def test_devices_of_many_nodes_are_those_of_the_nodes() -> None:
    nothing = (Energies(), Intervals())
    alone = record([device("gpu", 700.0), device("cpu", 100.0)], run_id="a", host="one")
    rows = [device("gpu", 700.0, id_=f"one/{CARD}"), device("cpu", 100.0, id_="one/cpu-0")]
    nodes = [NodeRecord(host, [], [], *nothing) for host in ("one", "two")]
    merged = replace(record(rows, run_id="b", host="one, two"), nodes=nodes)
    assert [device_key(merged, row) for row in merged.devices] == [device_key(alone, row) for row in alone.devices]


def test_a_calibration_in_between_changes_the_scale() -> None:
    def runs(name: str, calibration: str, gain: float) -> list[RunRecord]:
        return [
            record([device("gpu", e, calibration=calibration, gain=gain)], run_id=f"{name}{n}", start_s=n)
            for n, e in enumerate(BASE)
        ]

    pair = pair_of(runs("a", "", 0.05), runs("b", "a meter", 0.005))
    assert pair.headline is not None
    assert pair.headline.parts.scale_percent == pytest.approx(100 * math.expm1(math.hypot(0.05, 0.005)), rel=0.02)
    assert any("calibrations differ" in text for text in pair.warnings)


def test_a_large_error_of_measurement_is_not_averaged_away() -> None:
    base = gpu_runs("base", [700 + 0.1 * n for n in range(5)], own=0.1)
    other = gpu_runs("fast", [665 + 0.1 * n for n in range(5)], own=0.1)
    pair = pair_of(base, other)
    assert pair.verdict == "no difference shown"
    assert pair.repetitions == {"1 %": None, "5 %": None}


def test_a_drift_between_series_is_no_saving() -> None:
    warming = [700 * (1 + 0.002 * n) for n in range(12)]
    noise = [0.1, -0.2, 0.15, -0.1, 0.2, -0.15] * 2
    values = [energy_j + error for energy_j, error in zip(warming, noise, strict=True)]
    base, other = gpu_runs("base", values[:6]), gpu_runs("fast", values[6:], start_s=120)
    pair = pair_of(base, other)
    assert pair.verdict == "no difference shown"
    assert any("drift" in text for text in pair.warnings)
    found = compare([side("base", base), side("fast", other)])
    assert any("rise" in text for text in found.warnings)


def test_runs_in_turns_need_no_allowance_for_drift() -> None:
    values = [700 * (1 + 0.002 * n) for n in range(12)]
    base = [record([device("gpu", e)], run_id=f"b{n}", start_s=20.0 * n) for n, e in enumerate(values) if n % 2 == 0]
    other = [record([device("gpu", 0.9 * e)], run_id=f"f{n}", start_s=20.0 * n) for n, e in enumerate(values) if n % 2]
    assert pair_of(base, other).verdict == "less"


def test_work_of_different_amounts_is_compared_by_unit() -> None:
    def runs(name: str, factor: float, tokens: float) -> list[RunRecord]:
        return [
            record([device("gpu", factor * e)], run_id=f"{name}{n}", work={"tokens": tokens}, start_s=n)
            for n, e in enumerate(BASE)
        ]

    base, other = runs("a", 1.0, 1e5), runs("b", 1.2, 2e5)
    pair = pair_of(base, other)
    assert pair.headline is not None
    assert pair.headline.unit == "J/token"
    assert pair.headline.percent == pytest.approx(-40)
    assert pair.verdict == "less"
    whole = pair_of(base, other, Question(per=""))
    assert whole.verdict == "more"
    same = pair_of(base, runs("c", 1.2, 1e5))
    assert same.headline is not None
    assert same.headline.unit == "J"
    asked = pair_of(base, runs("c", 1.2, 1e5), Question(per="tokens")).headline
    assert asked is not None
    assert asked.unit == "J/token"


def test_a_warm_up_and_a_failed_run_do_not_count() -> None:
    base = gpu_runs("base", BASE)
    warm = record([device("gpu", 2000.0)], run_id="warm", series=SeriesRecord("s", 0, 5))
    failed = record([device("gpu", 3.0)], run_id="bad", exit_code=1)
    partial = record([device("gpu", 5.0)], run_id="short", complete=False)
    found = compare([side("base", [*base, warm, failed, partial]), side("fast", scaled(0.95))])
    assert found.baseline.runs == 5
    assert len(found.baseline.left_out) == 3
    assert {text for text in found.warnings if "left out" in text} == {
        "base: 1 run left out: warm-up",
        "base: 1 run left out: failed",
        "base: 1 run left out: not measured to its end",
    }


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"simulated": True}, "simulated"),
        ({"exit_code": 3}, "failed (exit 3)"),
        ({"complete": False}, "measured to its end"),
    ],
)
def test_what_cannot_be_compared_has_no_verdict(change: dict[str, bool], why: str) -> None:
    simulated, complete = change.get("simulated", False), change.get("complete", True)
    others = [
        record(
            [device("gpu", 0.5 * e)],
            run_id=f"f{n}",
            simulated=simulated,
            complete=complete,
            exit_code=int(change.get("exit_code", 0)),
        )
        for n, e in enumerate(BASE)
    ]
    pair = pair_of(gpu_runs("base", BASE), others)
    assert pair.verdict == "not comparable"
    assert why in pair.sentence


def test_no_energy_is_no_number() -> None:
    nothing = [record([device("gpu", None)], run_id=f"n{n}") for n in range(3)]
    pair = pair_of(gpu_runs("base", BASE), nothing)
    assert pair.verdict == "not comparable"
    assert pair.other.mean is None
    zero = [record([device("gpu", 0.0)], run_id=f"z{n}") for n in range(3)]
    assert pair_of(gpu_runs("base", BASE), zero).verdict == "not comparable"


def test_only_what_both_have_is_compared() -> None:
    both = [record([device("gpu", e), device("cpu", 100.0)], run_id=f"b{n}") for n, e in enumerate(BASE)]
    found = compare([side("base", both), side("fast", scaled(1.0))])
    assert found.quantity == "energy of GPU"
    assert any("CPU was not measured for fast" in text for text in found.warnings)
    assert found.pairs[0].headline is not None
    assert found.pairs[0].headline.percent == pytest.approx(0, abs=0.01)


def test_work_that_moves_to_another_device_leaves_some_of_the_scales() -> None:
    def runs(name: str, gpu_j: float, cpu_j: float) -> list[RunRecord]:
        return [
            record([device("gpu", gpu_j * e / 700), device("cpu", cpu_j * e / 700)], run_id=f"{name}{n}")
            for n, e in enumerate(BASE)
        ]

    still = pair_of(runs("a", 700, 300), runs("b", 350, 150)).headline
    moved = pair_of(runs("a", 700, 300), runs("c", 400, 600)).headline
    assert still is not None
    assert moved is not None
    assert still.parts.scale_percent == pytest.approx(0, abs=1e-6)
    assert moved.parts.scale_percent == pytest.approx(5 * 0.3 * math.sqrt(2), rel=0.03)


@pytest.mark.parametrize(
    ("base", "other", "text"),
    [
        (device("gpu", 700.0), device("gpu", 700.0, method="integrated"), "methods differ"),
        (
            device("gpu", 700.0, power_limit_w=300),
            device("gpu", 700.0, power_limit_w=200),
            "power limits differ: 300 W",
        ),
        (device("gpu", 700.0, core_clock_hz=1.9e9), device("gpu", 700.0, core_clock_hz=1.4e9), "clocks differ: 1900"),
    ],
)
def test_other_conditions_are_told(base: object, other: object, text: str) -> None:
    one = [record([base], run_id=f"a{n}") for n in range(2)]  # type: ignore[list-item] # parametrize has no types
    two = [record([other], run_id=f"b{n}") for n in range(2)]  # type: ignore[list-item] # as above
    assert any(text in warning for warning in pair_of(one, two).warnings)


def test_work_of_others_is_told() -> None:
    busy = [record([device("gpu", e, other_j=300.0)], run_id=f"o{n}") for n, e in enumerate(BASE)]
    found = compare([side("base", busy), side("fast", scaled(1.0))])
    assert any("other processes worked on its devices in 5 runs, up to 29 %" in text for text in found.warnings)


def rows_of(pair: Pair) -> list[str]:
    return [row.quantity for row in pair.rows]


def test_rows_do_not_say_the_same_twice() -> None:
    base, other = gpu_runs("base", BASE), scaled(0.9)
    assert rows_of(pair_of(base, other)) == ["whole devices", "wall time"]
    assert rows_of(pair_of(base, other, Question(of="gpu"))) == ["whole devices", "wall time"]
    assert rows_of(pair_of(base, other, Question(of="devices"))) == ["GPU energy", "wall time"]
    one, two = (
        [record([device("gpu", f * e), device("cpu", f * 100)], run_id=f"{f}{n}") for n, e in enumerate(BASE)]
        for f in (1.0, 0.9)
    )
    assert rows_of(pair_of(one, two)) == ["GPU energy", "CPU energy", "whole devices", "wall time"]
    assert rows_of(pair_of(one, two, Question(of="cpu"))) == ["whole devices", "wall time"]


def test_whole_devices_have_their_idle_energy_too() -> None:
    found = pair_of(gpu_runs("base", BASE), scaled(0.9), Question(of="devices")).headline
    assert found is not None
    assert found.percent == pytest.approx(100 * (630.18 + 50) / (700.2 + 50) - 100, abs=0.01)


def test_an_offset_does_not_cancel_where_the_energies_of_whole_devices_differ() -> None:
    def runs(name: str, factor: float, offset_j: float) -> list[RunRecord]:
        made = []
        for number, energy_j in enumerate(BASE):
            row = device("gpu", factor * energy_j)
            assert row.energy_j is not None
            half_j = math.hypot(0.05 * row.energy_j, offset_j)
            wide = (row.energy_j - half_j, row.energy_j + half_j)
            made.append(record([replace(row, interval_j=wide)], run_id=f"{name}{number}"))
        return made

    question = Question(of="devices")
    plain = pair_of(runs("a", 1, 0.0), runs("b", 0.5, 0.0), question).headline
    shifted = pair_of(runs("a", 1, 100.0), runs("b", 0.5, 100.0), question).headline
    assert plain is not None
    assert shifted is not None
    assert plain.parts.scale_percent == pytest.approx(0, abs=0.2)
    # 100 J of 400 J less 100 J of 750 J
    assert shifted.parts.scale_percent == pytest.approx(100 * math.expm1(100 / 400.1 - 100 / 750.2), rel=0.02)


def test_one_run_of_a_series_points_to_the_series() -> None:
    one = [record([device("gpu", 700.0)], run_id="a", series=SeriesRecord("series-7", 2, 5))]
    found = compare([side("last", one), side("fast", scaled(1.0))])
    assert any("series-7 means them all" in text for text in found.warnings)
