"""A run as a long table: every figure of the record, once, and nothing that was not measured."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from importlib.metadata import entry_points

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.runrecord import Energies, Intervals, PerUnit, RunRecord
from aipower_exporters.csv import COLUMNS, FORMULA, render_csv
from store.records import GPU, PROCESS, record, with_everything


def rows(run: RunRecord) -> Sequence[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_csv(run).decode(), newline="")))


def of(run: RunRecord, **wanted: str) -> Sequence[dict[str, str]]:
    return [row for row in rows(run) if all(row[column] == cell for column, cell in wanted.items())]


def test_the_head_and_a_line() -> None:
    lines = render_csv(record(1)).decode().splitlines()
    assert lines[0] == (
        "run_id,section,item,device,kind,quantity,value,low,high,repeatable_low,repeatable_high,unit,start_s,end_s,text"
    )
    assert "20261118T110640Z-00000001,run,,,total,energy,800.0,750.0,850.0,780.0,804.0,J,,," in lines
    assert "20261118T110640Z-00000001,device,GPU-1,GPU-1,gpu,idle_energy,150.0,,,,,J,,," in lines


def test_every_row_has_all_columns_and_a_quantity() -> None:
    for row in rows(with_everything()):
        assert list(row) == list(COLUMNS)
        assert row["quantity"]
        assert bool(row["value"]) != bool(row["text"]) or row["section"] in {"footprint", "fault"}


def test_the_device_sums_to_its_energy() -> None:
    parts = [
        float(row["value"])
        for what in ("run_energy", "idle_energy", "other_energy", "unattributed_energy")
        for row in of(record(1), section="device", quantity=what)
    ]
    (whole,) = of(record(1), section="device", quantity="energy")
    assert sum(parts) == float(whole["value"]) == 1000.0


def test_power_over_time_has_a_row_for_each_step_that_is_known() -> None:
    power = of(with_everything(), section="power", quantity="power")
    assert [(row["start_s"], row["end_s"], row["value"]) for row in power] == [
        ("0.0", "2.5", "90.0"), ("2.5", "5.0", "110.0"), ("7.5", "10.0", "100.0"),
    ]  # fmt: skip
    assert {row["kind"] for row in power} == {"gpu"}


def test_phases_and_their_spans() -> None:
    (train,) = of(with_everything(), section="phase", item="train", kind="total", quantity="energy")
    assert (train["value"], train["low"], train["repeatable_low"]) == ("600.0", "550.0", "590.0")
    (span,) = of(with_everything(), section="span")
    assert (span["item"], span["start_s"], span["end_s"], span["value"]) == ("train", "1.0", "7.0", "6.0")
    (outside,) = of(with_everything(), section="phase", item="", kind="total", quantity="energy")
    assert outside["value"] == "200.0"


def test_metrics_work_and_footprint() -> None:
    per = PerUnit("tokens", 1000.0, 0.8, (0.7, 0.9), (0.79, 0.81))
    run = replace(with_everything(), per=[per])
    (accuracy,) = of(run, section="metric", item="accuracy")
    assert accuracy["value"] == "0.91"
    (each,) = of(run, quantity="energy_per_unit")
    assert (each["value"], each["unit"], each["low"]) == ("0.8", "J/tokens", "0.7")
    (co2,) = of(run, quantity="co2e")
    assert (co2["value"], co2["unit"], co2["text"]) == ("0.11", "g", "DEU: 473 g/kWh, PUE 1, Ember, 2025")
    (cost,) = of(run, quantity="cost")
    assert (cost["unit"], cost["text"]) == ("EUR", "0.3 EUR/kWh, PUE 1")


def test_nodes_groups_faults_and_what_is_missing() -> None:
    run = with_everything()
    (node,) = of(run, section="node", kind="total")
    assert (node["item"], node["value"], node["high"]) == ("node", "800.0", "850.0")
    (group,) = of(run, section="together")
    assert (group["item"], group["device"], group["value"]) == ("4711 4712", "GPU-1", "800.0")
    (fault,) = of(run, section="fault")
    assert (fault["quantity"], fault["value"], fault["start_s"], fault["text"]) == ("slow", "3", "1.0", "answers late")
    (missing,) = of(run, section="not_measured")
    assert (missing["item"], missing["kind"], missing["text"]) == ("DRAM (RAPL)", "dram", "no permission; run as root")
    (why,) = of(replace(run, devices=[replace(GPU, run_energy_j=None, run_unknown="busy")]), quantity="run_unknown")
    assert why["text"] == "busy"


def test_what_was_not_measured_has_no_row() -> None:
    none = replace(GPU, energy_j=None, interval_j=None, run_energy_j=None, run_interval_j=None, mean_w=None)
    run = record(1, devices=[none], energy_j=Energies(), interval_j=Intervals())
    assert of(run, quantity="energy", section="run") == of(run, quantity="energy", section="device") == []
    assert of(run, quantity="mean_power") == []
    assert of(run, quantity="idle_energy")


@pytest.mark.parametrize("first", FORMULA)
def test_no_command_is_a_formula(first: str) -> None:
    evil = f'{first}cmd|"/C calc"!A1'
    run = record(1, name=evil, command=[evil], host=evil, processes=[replace(PROCESS, command=evil)])
    run = replace(run, metrics={evil: -1.5})
    for row in rows(run):
        assert not row["text"].startswith(FORMULA)
        assert not row["item"].startswith(FORMULA)
    (process,) = of(run, section="process", quantity="command")
    assert process["text"] == f"'{evil}"
    (metric,) = of(run, section="metric")
    assert metric["value"] == "-1.5"  # a number is one


@given(st.lists(st.text(st.characters(), max_size=30), max_size=3))
def test_any_text_is_one_line_and_all_there(commands: list[str]) -> None:
    run = record(1, processes=[replace(PROCESS, command=command) for command in commands])
    assert len(render_csv(run).splitlines()) == len(rows(run)) + 1
    told = [row["text"] for row in of(run, section="process", quantity="command")]
    assert all(text.isprintable() and not text.startswith(FORMULA) for text in told)
    plain = [command for command in commands if command.isprintable() and not command.startswith(FORMULA)]
    assert [text for text in told if text in plain] == plain


def test_a_line_break_is_told() -> None:
    run = record(1, processes=[replace(PROCESS, command="bash -c 'a\nb\x00'")])
    (row,) = of(run, section="process", quantity="command")
    assert row["text"] == r"bash -c 'a\nb\x00'"


def test_it_is_found_by_its_entry_point() -> None:
    (found,) = entry_points(group="aipower.reports", name="csv")
    assert found.load() is render_csv
