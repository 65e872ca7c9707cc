"""The parts sum to the whole: energies exactly, powers but for rounding."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.clients import client
from api.worlds import Size, World, down, world

SIZES = st.builds(
    Size,
    gpus=st.integers(1, 4),
    cpus=st.integers(0, 2),
    gpu_processes=st.integers(0, 6),
    processes=st.integers(6, 12),
    jobs=st.integers(0, 4),
    history_s=st.integers(1, 4).map(float),
    seed=st.integers(0, 2**32),
)
MILLIWATT = 0.001


def microjoules(energy_j: float) -> int:
    return round(energy_j * 1e6)


def energies(rows: list[dict[str, Any]]) -> int:
    return sum(microjoules(row["energy_j"]) for row in rows)


def powers(rows: list[dict[str, Any]]) -> float:
    return float(sum(row["power_w"] for row in rows if row["power_w"] is not None))


@settings(max_examples=40)
@given(SIZES, st.booleans())
def test_processes_and_accounts_sum_to_the_total(size: Size, failing: bool) -> None:
    it = world(size)
    if failing and it.snapshot:
        it.snapshot = down(it.snapshot, "GPU-0000")
    api = client(it.sources())
    document, total = api.get("/api/v1/processes"), api.get("/api/v1/snapshot")["total"]
    rows = document["processes"] + document["accounts"]
    assert energies(rows) == microjoules(document["total_j"]) == microjoules(total["energy_j"])
    if document["total_w"] is None:
        assert [row["power_w"] for row in rows] == [None] * len(rows)
    else:
        assert powers(rows) == pytest.approx(document["total_w"], abs=MILLIWATT * len(rows))
    assert document["total_w"] == total["window_w"]


@settings(max_examples=40)
@given(SIZES)
def test_a_process_is_the_sum_of_its_devices_and_of_its_kinds(size: Size) -> None:
    for process in client(world(size).sources()).get("/api/v1/processes")["processes"]:
        assert energies(process["devices"]) == microjoules(process["energy_j"])
        assert sum(map(microjoules, process["kinds_j"].values())) == microjoules(process["energy_j"])
        assert powers(process["devices"]) == pytest.approx(process["power_w"], abs=MILLIWATT * 9)
        assert len({device["device"] for device in process["devices"]}) == len(process["devices"])


@settings(max_examples=40)
@given(SIZES)
def test_components_sum_to_the_device_and_to_the_total(size: Size) -> None:
    document = client(world(size).sources()).get("/api/v1/snapshot")
    for device in [*document["devices"], document["total"]]:
        assert sum(map(microjoules, device["components_j"].values())) == microjoules(device["energy_j"])
    for device in document["devices"]:
        window = device["window"]
        assert sum(window["components_w"].values()) == pytest.approx(window["mean_w"], abs=4 * MILLIWATT)
    total, summed = document["total"], [device for device in document["devices"] if device["summed"]]
    assert energies(summed) == microjoules(total["energy_j"])
    assert powers(summed) == pytest.approx(total["power_w"], abs=MILLIWATT * 9)
    assert sum(total["components_w"].values()) == pytest.approx(total["window_w"], abs=4 * MILLIWATT)


@settings(max_examples=40)
@given(SIZES)
def test_jobs_have_all_that_their_processes_have(size: Size) -> None:
    api = client(world(size).sources())
    jobs, processes = api.get("/api/v1/jobs")["jobs"], api.get("/api/v1/processes")["processes"]
    assert energies(jobs) == energies(processes)
    assert powers(jobs) == pytest.approx(powers(processes), abs=MILLIWATT * 20)
    assert sum(job["processes"] for job in jobs) == len(processes)
    for job in jobs:
        assert energies(job["devices"]) == microjoules(job["energy_j"])


@settings(max_examples=40)
@given(SIZES)
def test_shares_of_power_sum_to_one_with_the_accounts(size: Size) -> None:
    document = client(world(size).sources()).get("/api/v1/processes")
    shares = sum(process["share"] for process in document["processes"])
    rest = powers(document["accounts"]) / document["total_w"]
    assert shares + rest == pytest.approx(1, abs=1e-4)
    energy = sum(process["energy_share"] for process in document["processes"])
    assert energy + sum(a["energy_j"] for a in document["accounts"]) / document["total_j"] == pytest.approx(
        1, abs=1e-4
    )


def test_the_world_of_these_tests_has_all_there_is_to_sum() -> None:
    """Otherwise the laws above would hold for nothing."""
    it: World = world(Size(3, 2, 6, 9))
    document = client(it.sources()).get("/api/v1/processes")
    assert len(document["processes"]) == 9
    assert all(account["energy_j"] > 0 for account in document["accounts"])
    assert {len(process["devices"]) for process in document["processes"]} == {2, 3, 4, 5}
