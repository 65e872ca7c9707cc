"""Which records are merged, and what is refused in one line."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from aipower.errors import AipowerError
from aipower.merge.choose import check_alike, check_one_job, distinct, of_job
from aipower.merge.merge import merge
from aipower.merge.windows import Window, length_s, union, widest
from aipower.runrecord import JobRecord, RunRecord
from merge.records import Rank, World

RECORDS = World([Rank(number) for number in range(4)]).records()


def with_job(record: RunRecord, job: JobRecord | None) -> RunRecord:
    return replace(record, job=job)


def test_a_run_that_is_named_twice_counts_once() -> None:
    assert distinct([*RECORDS, *RECORDS]) == RECORDS
    assert merge([*RECORDS, *RECORDS]) == merge(RECORDS)


def test_a_merged_run_counts_as_its_parts() -> None:
    half, all_ = merge(RECORDS[:2]), merge(RECORDS)
    assert distinct([half, *RECORDS]) == RECORDS
    assert {record.run_id for record in distinct([half, RECORDS[1], RECORDS[2]])} == {half.run_id, RECORDS[2].run_id}
    assert distinct([half, all_]) == [all_]
    twin = replace(half, run_id="z")
    assert distinct([twin, half]) == distinct([half, twin]) == [half]


def test_merged_runs_that_share_a_part_are_refused() -> None:
    with pytest.raises(AipowerError, match="merge their parts instead"):
        distinct([merge(RECORDS[:2]), merge(RECORDS[1:])])


def test_a_simulation_is_not_added_to_a_measurement() -> None:
    simulated = replace(RECORDS[0], simulated=True)
    with pytest.raises(AipowerError, match=f"{simulated.run_id} is simulated"):
        check_alike([simulated, *RECORDS[1:]])
    assert merge([simulated]).simulated
    with pytest.raises(AipowerError, match="no record to merge"):
        merge([])


def test_records_of_several_jobs_are_refused() -> None:
    other = replace(RECORDS[1], job=JobRecord("slurm", "12", "n1"))
    with pytest.raises(AipowerError, match=r"2 jobs \(12, 4711\): choose one by --job ID"):
        check_one_job([RECORDS[0], other])
    with pytest.raises(AipowerError, match="no job, 4711"):
        check_one_job([RECORDS[0], with_job(RECORDS[1], None)])
    six = [replace(RECORDS[0], job=JobRecord("slurm", str(number), "n1")) for number in range(6)]
    with pytest.raises(AipowerError, match="0, 1, 2, 3 and others"):
        check_one_job(six)
    check_one_job(RECORDS)


def test_records_that_tell_no_job_are_not_taken_for_one() -> None:
    for job in (None, JobRecord("mpi", "", "n1")):
        with pytest.raises(AipowerError, match="say --force"):
            check_one_job([with_job(record, job) for record in RECORDS])
        check_one_job([with_job(RECORDS[0], job)])


def test_the_job_and_the_step_as_slurm_writes_them() -> None:
    records = [
        replace(RECORDS[0], job=JobRecord("slurm", "12", "n1", step="0")),
        replace(RECORDS[1], job=JobRecord("slurm", "12", "n1", step="1")),
        replace(RECORDS[2], job=JobRecord("slurm", "120", "n1")),
        replace(RECORDS[3], job=None),
    ]
    assert of_job(records, "12") == records[:2]
    assert of_job(records, "12.1") == [records[1]]
    assert of_job(records, "") == []
    assert of_job([replace(RECORDS[0], job=JobRecord("mpi", "", "n1"))], ".") == []


def window(name: str, start_s: float, end_s: float, covered_s: float | None = None) -> Window:
    return Window(name, start_s, end_s, end_s - start_s if covered_s is None else covered_s)


def chosen(*windows: Window) -> str:
    return "".join(one.run_id for one in widest(windows))


def test_the_widest_windows_that_do_not_overlap() -> None:
    assert chosen() == ""
    assert chosen(window("a", 0, 5), window("b", 5, 9), window("c", 9, 10)) == "abc"
    assert chosen(window("a", 0, 5), window("b", 4, 12), window("c", 11, 16)) == "ac"
    assert chosen(window("a", 0, 5), window("b", 4, 16), window("c", 15, 18)) == "b"
    assert chosen(window("a", 0, 10, covered_s=1.0), window("b", 2, 6)) == "b"
    assert chosen(window("a", 0, 10, covered_s=0.0)) == ""
    assert chosen(window("b", 0, 10), window("a", 0, 10)) == chosen(window("a", 0, 10), window("b", 0, 10))


def test_spans_that_touch_are_one() -> None:
    assert union([(5.0, 7.0), (0.0, 2.0), (1.0, 3.0), (3.0, 4.0)]) == [(0.0, 4.0), (5.0, 7.0)]
    assert length_s([(0.0, 2.0), (1.0, 3.0), (5.0, 6.0)]) == 4.0
