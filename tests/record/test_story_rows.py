"""The report's rows of power over time, phases, work, nodes and what to do next."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from aipower.record.page import Page
from aipower.record.report import render
from aipower.record.story_rows import unit_of
from aipower.runrecord import (
    CarbonRecord,
    Energies,
    Intervals,
    JobRecord,
    NodeRecord,
    PerUnit,
    PhaseRecord,
    PowerSeries,
    SeriesRecord,
)
from record.test_report import GPU, RECORD


def phase(name: str, energy_j: float, *, count: int = 1, resolved: bool = True) -> PhaseRecord:
    bounds = Intervals((energy_j - 10, energy_j + 10))
    path = name.split("/") if name else []
    return PhaseRecord(path, count, 2.0, Energies(energy_j), bounds, bounds, resolved)


def rows(text: str, label: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(f"  {label}")]


def test_power_is_drawn_for_each_device() -> None:
    series = PowerSeries("GPU-1", 0.1, [10.0 * at for at in range(20)], [None] * 20)
    text = render(replace(RECORD, power=[series]))
    assert rows(text, "power") == ["  power    ▁▁▁▂▂▃▃▃▄▄▅▅▆▆▆▇▇███  GPU 0 0..190 W"]


def test_a_few_steps_are_no_plot() -> None:
    assert not rows(render(replace(RECORD, power=[PowerSeries("GPU-1", 0.1, [1.0], [None])])), "power")


def test_phases_are_told_by_their_order_with_what_is_outside() -> None:
    train = replace(phase("train", 500.0, count=3), work={"tokens": 1000.0})
    fast = phase("train/step", 400.0, resolved=False)
    text = render(replace(RECORD, phases=[train, fast, phase("", 100.0)]))
    assert "  phase      500.0 J  train  [490.0 .. 510.0 J]  3 times, 2.00 s, 500.0 mJ/token\n" in text
    assert (
        "             400.0 J    step  [390.0 .. 410.0 J]  2.00 s, too fast for the sensors: by time alone\n" in text
    )
    assert "             100.0 J  outside of all phases, 2.00 s\n" in text


def test_the_largest_phases_are_shown_and_all_with_v() -> None:
    record = replace(RECORD, phases=[phase(f"p{at}", 10.0 * at + 20) for at in range(9)])
    text = render(record)
    assert "p8" in text
    assert "p0" not in text
    assert "and 3 more phases; -v shows all" in text
    assert "p0" in render(record, Page(verbose=True))


def test_a_phase_of_which_nothing_is_known_is_no_nought() -> None:
    unknown = PhaseRecord(["train"], 1, 2.0, Energies(), Intervals(), Intervals())
    assert "?  train: 2.00 s" in render(replace(RECORD, phases=[unknown]))


def test_work_and_results() -> None:
    per = PerUnit("tokens", 123456.0, 0.0061, (0.005, 0.007), (0.006, 0.0062))
    text = render(replace(RECORD, per=[per], metrics={"accuracy": 0.91}))
    assert rows(text, "per unit") == ["  per unit 6.10 mJ/token  [5.00 .. 7.00 mJ]  123456 tokens"]
    assert rows(text, "results") == ["  results  accuracy 0.91"]


def test_units() -> None:
    assert [unit_of(unit) for unit in ("tokens", "steps", "loss", "batch")] == ["token", "step", "loss", "batch"]


def test_carbon_stands_below_the_total_with_its_source() -> None:
    carbon = CarbonRecord(0.08, (0.07, 0.09), 381.0, "DEU", 2024, "Ember", 1.0)
    lines = render(replace(RECORD, carbon=carbon)).splitlines()
    (at,) = [at for at, line in enumerate(lines) if line.startswith("  total")]
    assert lines[at + 1].startswith("  carbon")
    assert "DEU 2024" in lines[at + 1]


def test_nodes_of_a_merged_run() -> None:
    nodes = [NodeRecord(f"n{at}", ["r"], [0, 1], Energies(50.0), Intervals((40.0, 60.0))) for at in range(2)]
    text = render(replace(RECORD, nodes=nodes))
    assert rows(text, "nodes") == ["  nodes      50.00 J  [40.00 .. 60.00 J]  n0, 2 ranks"]
    assert "n1, 2 ranks" in text


def test_who_does_not_count_the_node_is_told_so() -> None:
    job = JobRecord("slurm", "7", "n1", rank=1, leader=False)
    assert "aipower merge" in render(replace(RECORD, job=job))
    assert "aipower merge" not in render(replace(RECORD, job=replace(job, leader=True)))


def test_a_repetition_says_which_one_it_was() -> None:
    assert "exit 0  10.00 s  2 of 5\n" in render(replace(RECORD, series=SeriesRecord("s", 2, 5)))


def test_the_next_command_is_only_told_of_a_run_that_is_kept() -> None:
    record = replace(RECORD, run_id="20261128T133214Z-1a2b3c4d")
    assert rows(render(record, Page(saved=True)), "next") == ["  next     aipower report 1a2b3c4d --html report.html"]
    assert not rows(render(record), "next")
    assert "aipower doctor" in rows(render(replace(record, devices=[]), Page(saved=True)), "next")[0]


def test_kinds_with_several_devices_are_summed() -> None:
    two = [GPU, replace(GPU, device="GPU-2", index="1")]
    assert "  all GPU  800.0 J  [750.0 .. 850.0 J]  by this run, of 2 devices\n" in render(
        replace(RECORD, devices=two)
    )
    assert "all GPU" not in render(RECORD)


def test_a_rank_is_told_how_to_merge() -> None:
    job = JobRecord("slurm", "7", "n1", rank=1, ranks=4)
    text = render(replace(RECORD, job=job), Page(saved=True))
    assert rows(text, "next") == ["  next     aipower merge --job 7 makes one run of all ranks"]
    assert "merge" not in render(replace(RECORD, job=job, merged_from=["a", "b"]), Page(saved=True))


def test_many_devices_fit_on_a_screen() -> None:
    def gpus(count: int) -> list[str]:
        devices = [replace(GPU, device=f"GPU-{at}", index=str(at)) for at in range(count)]
        return render(replace(RECORD, devices=devices)).splitlines()

    assert len(gpus(16)) < 24
    assert len(gpus(4)) == 1 + 4 * 2 + 1 + 1 + 1  # headline, pairs, their sum, the estimate, the total
    assert "  GPU 15   800.0 J  [750.0 .. 850.0 J]  energy counter, mean 100.0 W, device 1000 J" in gpus(16)


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    record = replace(RECORD, name="a name " * 5, command=["python", "train.py", *map(str, range(50))])
    lines = render(record, Page(columns=columns, saved=True)).splitlines()
    assert max(map(len, lines)) <= columns
    assert "exit 0 10.00 s" in " ".join(" ".join(lines).split())
