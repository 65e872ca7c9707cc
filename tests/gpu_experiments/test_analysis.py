"""The pure parts, on data whose truth is written down."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gpu import accounting, coverage, idle_ladder, mps, pair, samples, watching
from benchmarks.gpu.figures import histogram, mean_and_error, spread
from benchmarks.gpu.idle_ladder import Rung
from benchmarks.gpu.phases import fit, judge, seen_share
from benchmarks.gpu.power import Power
from benchmarks.gpu.power_fields import delays_s
from benchmarks.gpu.process_sampler import Answer, analyse
from benchmarks.gpu.registry import EXPERIMENTS, chosen
from benchmarks.gpu.report import Result, as_json, table
from benchmarks.gpu.seams import LoadReport, SkipError
from benchmarks.gpu.watch import Watch, period_s, slope, updates


def boxcar(phase: float, share: float, steps: int = 400) -> float:
    """Mean of a square wave of duty one half over the window [phase, phase + share] of its period, by brute force."""
    return sum((phase + share * (step + 0.5) / steps) % 1.0 < 0.5 for step in range(steps)) / steps


@given(st.floats(0.05, 0.98), st.floats(0, 1), st.floats(30, 600))
def test_a_window_is_found_by_the_phases(share: float, begin: float, swing_w: float) -> None:
    phases = [number / 16 for number in range(16)]
    powers_w = [60 + swing_w * boxcar(begin - phase, share) for phase in phases]
    found = judge(fit(phases, powers_w), swing_w)
    assert found.relative == pytest.approx(math.sin(math.pi * share) / (math.pi * share), abs=0.03)
    assert seen_share(found.relative) == found.seen_share
    assert found.verdict in {"part-time" if share < 0.5 else "full" if share > 0.9 else found.verdict, "unclear"}
    assert found.fit.mean_w == pytest.approx(60 + swing_w / 2, rel=0.02)


def test_noise_and_small_loads_are_unclear() -> None:
    phases = [number / 16 for number in range(16)]
    noisy_w = [200 + (90 if number in {3, 4, 11} else 0) for number in range(16)]
    assert judge(fit(phases, noisy_w), 100).verdict == "unclear"
    assert judge(fit(phases, [100.0] * 16), 100).verdict == "full"
    assert judge(fit(phases, [100.0] * 16), 5).verdict == "unclear"
    assert seen_share(0) == pytest.approx(1)
    with pytest.raises(ValueError, match="too few"):
        fit(phases[:3], noisy_w[:3])


def test_period_counts_updates_that_changed_nothing() -> None:
    moments_s = [0.0, 0.1, 0.2, 0.5, 0.6, 0.7, 0.9, 1.0]
    seen = Watch(1.0, 1000, 0, tuple((at_s, number) for number, at_s in enumerate(moments_s)))
    assert period_s(seen) == pytest.approx(0.1)
    assert slope(seen) == pytest.approx(7.0)
    assert updates(seen).interval_histogram == {"0.1": 5, "0.2": 1, "0.3": 1}


def test_a_number_that_stands_still_has_no_period() -> None:
    still = Watch(1.0, 1000, 7, ((0.5, 8),))
    assert (period_s(still), slope(still), updates(still).interval_s) == (None, None, None)


def test_steps_and_falls_of_a_counter() -> None:
    found = updates(Watch(1.0, 10, 0, ((0.1, 40), (0.2, 100), (0.3, 160), (0.4, 60))))
    assert (found.falls, found.step_unit) == (1, 20)


def test_delay_is_from_the_edge_to_the_middle() -> None:
    """The reading follows each edge at even seconds half a second later."""
    changes = tuple((2 * n + 0.5, 100_000 + 300_000 * (n % 2)) for n in range(8))
    assert delays_s(Watch(16, 100, 0, changes), 2.0) == pytest.approx([0.5] * 6)
    assert delays_s(Watch(16, 100, 0, ()), 2.0) == []


def test_order_of_the_sweep_visits_every_phase() -> None:
    specs = coverage.plan(0.1)
    assert len(specs) == 48
    own = sorted(spec.shift_s for spec in specs[:16])
    assert own == pytest.approx([0.1 * number / 16 for number in range(16)])


def test_buffer_of_samples() -> None:
    stamps_us = [1_000_000 + 20_000 * number for number in range(120)]
    later = [(stamp_us + 400_000, 1.0) for stamp_us in stamps_us]
    found = samples.analyse([(stamp_us, 1.0) for stamp_us in stamps_us], later)
    assert (found.count, found.repeated, found.fresh) == (120, 0, 20)
    assert found.duration_s == pytest.approx(2.38)
    assert found.spacing_s is not None
    assert found.spacing_s.p50 == pytest.approx(0.02)
    assert samples.analyse([], []).spacing_s is None


def test_sampler_that_takes_turns_has_no_variance() -> None:
    """Strictly alternating samples: far below the law of independent ones. Rows of others do not count."""
    rows = [((7 if n % 2 else 8, 1_000_000 + 100_000 * n, 100), (99, 1_000_000 + 100_000 * n, 50)) for n in range(200)]
    found = analyse([Answer(row, 100) for row in rows], (7, 8), block_s=1.0)
    assert found is not None
    assert found.sample_period_s == pytest.approx(0.1)
    assert found.share == pytest.approx(0.5, abs=0.01)
    assert found.ratio < 0.1
    assert [found.sum_percent, found.one_pid] == pytest.approx([100, 1])
    assert analyse([], (7, 8)) is None


def test_ladder_takes_the_rungs_apart() -> None:
    powers_w = (70.0, 100.0, 102.0, 106.0, 100.4, 71.0)
    rungs = [
        Rung(contexts, memory_gb, Power(power_w, 0.3))
        for contexts, memory_gb, power_w in zip((0, 1, 2, 4, 1, 0), (0, 0, 0, 0, 40.0, 0), powers_w, strict=True)
    ]
    found = idle_ladder.analyse(rungs)
    assert found.per_gb is not None
    steps_w = [found.first.mean_w, found.further.mean_w, found.per_gb.mean_w, found.drift.mean_w]
    assert steps_w == pytest.approx([30, 2, 0.01, 1])
    assert found.further.error_w == pytest.approx(math.hypot(0.3, 0.3) / 3)


def test_short_processes_that_samples_named() -> None:
    short = accounting.lives('{"pid": 1, "busy_s": 0.1}\n{"pid": 2, "busy_s": 0.1}\n')
    answers = [Answer(((5, 1_000_000, 100),), 0), Answer(((2, 1_200_000, 50),), 0), Answer((), 0)]
    found = accounting.analyse(short, answers, None)
    assert (found.processes, found.sampled, found.accounted) == (2, 1, None)
    assert [found.busy_s, found.sampled_busy_s] == pytest.approx([0.2, 0.1])
    with pytest.raises(SkipError, match="no GPU"):
        accounting.lives('{"error": "no GPU"}')


def test_pids_under_mps(tmp_path: Path) -> None:
    for pid, words in ((10, b"/usr/bin/nvidia-cuda-mps-server\0"), (11, b"python\0x\0"), (12, b"")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_bytes(words)
    (tmp_path / "self").mkdir()
    servers = mps.pids_of(mps.SERVER, tmp_path)
    assert servers == {10}
    assert mps.roles([10, 11, 11, 5], client=11, servers=servers) == {"client": 2, "server": 1, "other": 1}


def test_pair_is_judged_by_the_energy_of_a_unit() -> None:
    def of(run_j: float, products: int) -> pair.Metered:
        return pair.Metered(run_j, (0.9 * run_j, 1.1 * run_j), 5000.0, 500.0, LoadReport(products, 1, 1, 0))

    right, wrong = pair.judge(of(1000, 100), of(525, 50)), pair.judge(of(1000, 100), of(800, 50))
    assert right.expected_j == pytest.approx(500)
    assert wrong.error == pytest.approx(0.6)
    assert (right.in_interval, wrong.in_interval) == (True, False)


def test_watching_is_a_paired_difference() -> None:
    """A drift of 1 W a block cancels in the order ABBA."""
    blocks = [(letter, 70.0 + place + (0.5 if letter == "B" else 0.0)) for place, letter in enumerate("ABBAABBA")]
    found = watching.analyse(blocks)
    assert found.extra_w == pytest.approx(0.5)
    assert found.low_w < 0.5 < found.high_w
    assert found.j_per_minute == pytest.approx(30)
    assert set(watching.ORDER[::2] + watching.ORDER[1::2]) == {"A", "B"}
    with pytest.raises(ValueError, match="pairs"):
        watching.analyse(blocks[:2])


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_spread_is_ordered_and_within(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    assert found.least <= found.p5 <= found.p50 <= found.p95 <= found.p99 <= found.most
    assert found.least - 1e-6 <= found.mean <= found.most + 1e-6
    assert sum(histogram(values, 10.0).values()) == len(values)
    assert mean_and_error(values)[1] >= 0


def test_registry_names_each_question_once() -> None:
    numbers = {word.strip(",") for one in EXPERIMENTS for word in one.title.split()[:2] if word.strip(",").isdecimal()}
    assert numbers == {str(number) for number in range(1, 14)}
    assert [one.name for one in chosen(["latency", "counter"])] == ["counter", "latency"]
    with pytest.raises(ValueError, match="no experiment typo; there are watching"):
        chosen(["typo"])


def test_report_has_no_nan_and_says_why_something_is_missing() -> None:
    done = Result("a", "1 A", "done", 1.0, data={"x": math.nan, "y": (1.0, math.inf)}, rows=[("x", "1 W")])
    skipped = Result("b", "2 B", "skipped", 0.0, "needs torch")
    whole = json.loads(as_json({"gpu": "G"}, 1.0, [done, skipped]), parse_constant=pytest.fail)
    assert whole["results"][0]["data"] == {"x": None, "y": [1.0, None]}
    assert "| x | 1 W |" in table(done)
    assert "skipped: needs torch" in table(skipped)
