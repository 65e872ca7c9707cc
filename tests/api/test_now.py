"""What is told of now: windows that are recent, of devices that are up."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from aipower.footprint.settings import Footprint
from aipower.site.sources import Condition
from api.clients import client
from api.worlds import PRICED, START_UNIX_S, FakeScales, Size, down, world

MAX_AGE_S = 3 * 5.0 + 5.0
SNAPSHOT, PROCESSES, JOBS, RUNS = (f"/api/v1/{name}" for name in ("snapshot", "processes", "jobs", "runs"))


def test_a_device_that_is_down_has_no_power_and_keeps_its_counters() -> None:
    it = world()
    assert it.snapshot is not None
    before = client(it.sources()).get(SNAPSHOT)
    it.snapshot = down(it.snapshot, "GPU-0000")
    api = client(it.sources())
    after = api.get(SNAPSHOT)
    device = after["devices"][0]
    assert (device["up"], device["power_w"], device["power_half_w"], device["window"]) == (False, None, None, None)
    assert device["energy_j"] == before["devices"][0]["energy_j"] > 0
    assert (after["total"]["up"], after["total"]["devices"]) == (3, 4)
    lost_w = before["devices"][0]["window"]["mean_w"]
    assert after["total"]["window_w"] == pytest.approx(before["total"]["window_w"] - lost_w, abs=0.002)
    user = next(row for row in api.get(PROCESSES)["processes"] if row["pid"] == 4000)
    assert [one["power_w"] is None for one in user["devices"]] == [True, False, False]


def test_windows_that_are_too_old_are_nobodys_power() -> None:
    it = world()
    api = client(it.sources())
    it.clock.go(MAX_AGE_S - 1.5)
    assert api.get(SNAPSHOT)["total"]["window_w"] > 0
    assert it.snapshot is not None
    it.clock.go(1.5)
    it.snapshot = replace(it.snapshot, number=18)
    total = api.get(SNAPSHOT)["total"]
    assert (total["window_w"], total["components_w"]) == (None, None)
    document = api.get(PROCESSES)
    assert document["total_w"] is None
    assert {row["power_w"] for row in document["processes"] + document["accounts"]} == {None}
    assert {row["share"] for row in document["processes"]} == {None}
    assert {row["power_w"] for row in api.get(JOBS)["jobs"]} == {None}
    assert {row["power_w"] for row in api.get(RUNS)["runs"]} == {None}


def test_a_process_without_a_part_in_the_windows_draws_nothing() -> None:
    it = world()
    it.history.windows = [replace(window, parts={}) for window in it.history.windows]
    document = client(it.sources()).get(PROCESSES)
    assert {row["power_w"] for row in document["processes"]} == {0.0}


def test_a_process_that_has_no_account_yet_is_among_the_others() -> None:
    it = world()
    assert it.snapshot is not None
    whole = client(it.sources()).get(PROCESSES)
    gone = next(row for row in whole["processes"] if row["pid"] == 4001)
    it.snapshot = replace(
        it.snapshot, processes=tuple(row for row in it.snapshot.processes if not row.info or row.info.id.pid != 4001)
    )
    other = client(it.sources()).get(PROCESSES)["accounts"][2]
    assert (other["name"], other["power_w"]) == ("other", pytest.approx(gone["power_w"], abs=0.01))
    assert gone["power_w"] > 0


def test_a_device_that_a_process_has_just_begun_to_use_is_told() -> None:
    it = world()
    assert it.snapshot is not None
    rows = tuple(
        row for row in it.snapshot.processes if not (row.info and row.info.id.pid == 4000 and row.device.kind == "gpu")
    )
    it.snapshot = replace(it.snapshot, processes=rows)
    process = next(row for row in client(it.sources()).get(PROCESSES)["processes"] if row["pid"] == 4000)
    new = process["devices"][-1]
    assert (new["device"], new["energy_j"]) == ("GPU-0000", 0.0)
    assert new["power_w"] > 0
    assert process["power_w"] == pytest.approx(sum(one["power_w"] for one in process["devices"]), abs=0.002)


def test_the_method_is_the_weakest_of_the_devices() -> None:
    it = world(Size(cpus=1))
    assert it.snapshot is not None
    api = client(it.sources())
    assert {row["method"] for row in api.get(PROCESSES)["processes"]} == {"estimated"}
    kinds = {"dram": None, "cpu": "integrated", "gpu": "counter"}
    without = tuple(row for row in it.snapshot.processes if row.device.kind != "dram")
    it.snapshot = replace(it.snapshot, processes=without, number=18)
    assert {row["method"] for row in api.get(PROCESSES)["processes"]} == {kinds["cpu"]}
    it.snapshot = replace(it.snapshot, processes=tuple(r for r in without if r.device.kind != "cpu"), number=19)
    assert {row["method"] for row in api.get(PROCESSES)["processes"]} == {kinds["gpu"]}


def test_half_widths_of_one_kind_add_up_and_of_several_in_squares() -> None:
    it = world(Size(gpus=2, cpus=1))
    document = client(it.sources()).get(SNAPSHOT)
    by_kind = {
        kind: sum(one["power_half_w"] for one in document["devices"] if one["kind"] == kind)
        for kind in ("gpu", "cpu", "dram")
    }
    expected = sum(half_w**2 for half_w in by_kind.values()) ** 0.5
    assert document["total"]["power_half_w"] == pytest.approx(expected, abs=0.01)


def test_calibrated_devices_add_in_squares() -> None:
    it = world(Size(gpus=2, cpus=1))
    before = client(it.sources())
    linear_w, process = before.get(SNAPSHOT)["total"]["power_half_w"], before.get(PROCESSES)["processes"]
    it.scales = FakeScales(calibrated=("GPU-0000", "GPU-0001", "package-0", "dram-0"))
    document = client(it.sources()).get(SNAPSHOT)
    halves_w = [device["power_half_w"] for device in document["devices"] if device["summed"]]
    assert document["total"]["power_half_w"] == pytest.approx(sum(half_w**2 for half_w in halves_w) ** 0.5, abs=0.01)
    assert document["total"]["power_half_w"] < linear_w
    assert client(it.sources()).get(PROCESSES)["processes"] == process, "none is on two devices of one kind"


def test_a_process_on_two_devices_of_a_kind_has_the_error_of_both() -> None:
    it = world(Size(cpus=2, gpu_processes=0))
    process = client(it.sources()).get(PROCESSES)["processes"]
    (two,) = (row for row in process if row["pid"] == 4003)
    halves_j = {one["device"]: one["energy_half_j"] for one in two["devices"]}
    own_j2 = len(halves_j) * (1.96 * (1e14 + 1e12) ** 0.5 / 1e6) ** 2

    def scale_j(device: str) -> float:
        return float(max(0.0, halves_j[device] ** 2 - own_j2 / len(halves_j)) ** 0.5)

    cpus_j, drams_j = scale_j("package-0") + scale_j("package-1"), scale_j("dram-0") + scale_j("dram-1")
    assert two["energy_half_j"] == pytest.approx((own_j2 + cpus_j**2 + drams_j**2) ** 0.5, rel=1e-3)
    assert two["energy_half_j"] > sum(half_j**2 for half_j in halves_j.values()) ** 0.5


def test_a_scale_that_is_not_known_leaves_no_interval_behind() -> None:
    it = world()
    it.scales = FakeScales(unknown=("GPU-0001",))
    total = client(it.sources()).get(SNAPSHOT)["total"]
    assert (total["power_half_w"], total["energy_half_j"]) == (None, None)


def test_nothing_of_cost_where_nothing_is_configured() -> None:
    it = world()
    it.footprint = Footprint(pue=1.5)
    assert client(it.sources()).get(SNAPSHOT)["footprint"] is None


def test_cost_and_carbon_are_in_proportion_to_the_total() -> None:
    document = client(world().sources()).get(SNAPSHOT)
    total, told = document["total"], document["footprint"]
    kwh = total["energy_j"] / 3.6e6
    assert told["cost"] == pytest.approx(kwh * PRICED.pue * 0.3, rel=1e-5)
    assert told["cost_per_h"] == pytest.approx(total["power_w"] / 1000 * PRICED.pue * 0.3, rel=1e-5)
    assert told["co2e_g"] == pytest.approx(kwh * PRICED.pue * told["intensity_g_per_kwh"], rel=1e-5)
    low, high = told["cost_interval"]
    assert low < told["cost"] < high
    assert high - low == pytest.approx(2 * total["energy_half_j"] / 3.6e6 * PRICED.pue * 0.3, rel=1e-4)
    assert (told["zone"], told["currency"]) == ("DEU", "EUR")
    assert "Ember" in told["source"]


def test_a_price_alone_gives_no_carbon() -> None:
    it = world()
    it.footprint = Footprint(price_per_kwh=0.3, currency="EUR")
    told = client(it.sources()).get(SNAPSHOT)["footprint"]
    assert told["cost"] > 0
    assert (told["co2e_g"], told["co2e_g_per_h"], told["co2e_interval_g"], told["source"]) == (None, None, None, "")


def test_only_faults_that_have_happened_are_told() -> None:
    faults = client(world().sources()).get(SNAPSHOT)["faults"]
    assert faults == [
        {"device": "", "reason": "late", "count": 1},
        {"device": "GPU-0000", "reason": "gone", "count": 2},
    ]


def test_an_agent_that_is_behind_says_so() -> None:
    it = world()
    it.condition = Condition("stale", "no sample for 30 s", 30.04)
    assert client(it.sources()).get(SNAPSHOT)["condition"] == {
        "status": "stale", "reason": "no sample for 30 s", "sample_age_s": 30.04,
    }  # fmt: skip


def test_times_are_unix_seconds() -> None:
    document = client(world().sources()).get(SNAPSHOT)
    window = document["devices"][0]["window"]
    assert window["end_unix_s"] - window["start_unix_s"] == 1.0
    assert START_UNIX_S - 2 < window["end_unix_s"] <= START_UNIX_S
    assert document["agent"]["cpu_share"] == pytest.approx(12.5 / 3600, abs=1e-6)


def test_the_first_sample_is_waited_for() -> None:
    it = world()
    it.snapshot = None
    api = client(it.sources())
    for name in ("snapshot", "processes", "jobs", "runs", "power", "history", "live"):
        assert "try again" in api.refused(f"/api/v1/{name}", 503)
    assert api.get("/api/v1")["version"] == ""
