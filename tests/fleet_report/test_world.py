"""Reports of the small world are its truth, on each engine and whatever went wrong."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from aipower.runrecord import RunRecord
from fleet_report import world as w
from fleet_report.user import User, parts_are_exact, within
from fleet_report.world import END_S, START_S, Load

UNTIL = ("--until", str(END_S))
X = ("--match", "cluster=x")


@pytest.fixture(params=["world", "victoria"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each of the engines."""
    url: str = request.getfixturevalue(request.param)
    return url


def of(user: User, engine: str, load: Load, *words: str) -> RunRecord:
    record = user.record(engine, "--job", load.job, *X, *UNTIL, *words)
    parts_are_exact(record)
    return record


def reasons(record: RunRecord) -> set[str]:
    return {fault.reason for fault in record.faults}


def test_a_job_on_two_nodes(user: User, engine: str) -> None:
    record = of(user, engine, w.TWO[0])
    assert record.energy_j.total == pytest.approx(sum(load.whole_j() for load in w.TWO), rel=1e-9)
    assert record.energy_j.gpu == pytest.approx(200 * 2400 + 300 * 2385)
    assert [node.host for node in record.nodes] == ["n1", "n2"]
    assert [node.energy_j.total for node in record.nodes] == pytest.approx([load.whole_j() for load in w.TWO])
    assert {row.device for row in record.devices} == {"n1/GPU-n1", "n1/package-0", "n2/GPU-n2", "n2/package-0"}
    assert (record.complete, record.faults, record.name) == (True, [], "train")
    assert record.job is not None
    assert (record.job.system, record.job.id, record.job.variables["team"]) == ("slurm", "7", "t")
    assert record.command == ["slurm", "job", "7"]


def test_engines_tell_the_same(user: User, world: str, victoria: str) -> None:
    one, other = of(user, world, w.TWO[0]), of(user, victoria, w.TWO[0])
    assert one.run_id == other.run_id
    assert one.wall_s == pytest.approx(other.wall_s, abs=0.01)
    assert [row.run_energy_j for row in one.devices] == pytest.approx([row.run_energy_j for row in other.devices])
    assert [row.energy_j for row in one.devices] == pytest.approx([row.energy_j for row in other.devices])


def test_when_it_ran_is_known_to_within_a_scrape(user: User, engine: str) -> None:
    record = of(user, engine, w.TWO[0])
    assert record.metrics["resolution_s"] == w.STEP_S
    assert START_S + 600 - w.STEP_S <= record.started_unix_s <= START_S + 600
    end_s = record.started_unix_s + record.wall_s
    assert START_S + 3000 <= end_s <= START_S + 3000 + w.STEP_S


def test_the_whole_device_has_what_others_used_and_what_it_idled(user: User, engine: str) -> None:
    gpu = next(row for row in of(user, engine, w.TWO[0]).devices if row.device == "n1/GPU-n1")
    assert within((200 + 50 + 30) * 2400.0, gpu.interval_j)
    assert gpu.other_j == pytest.approx(30 * gpu.covered_s, rel=0.01)
    assert gpu.idle_j == pytest.approx(50 * gpu.covered_s, rel=0.01)
    assert (gpu.index, gpu.name, gpu.method, gpu.peak_w) == ("n1:0", "Card 0", "counter", 280.0)


def test_power_over_time(user: User, engine: str) -> None:
    record = of(user, engine, w.TWO[1])
    series = next(one for one in record.power if one.device == "n2/GPU-n2")
    middle = range(10, len(series.power_w) - 10)
    assert [series.power_w[at] for at in middle] == pytest.approx([350.0] * len(middle), rel=1e-6)
    assert [series.run_power_w[at] for at in middle] == pytest.approx([300.0] * len(middle), rel=1e-6)
    run_j = sum((power_w or 0.0) * series.step_s for power_w in series.run_power_w)
    assert run_j == pytest.approx(w.TWO[1].energy_j("gpu", w.LENGTH_S), rel=0.01)


def test_errors_of_the_scale_add_up_over_nodes_and_others_in_squares(user: User, world: str) -> None:
    record = of(user, world, w.TWO[0])
    energies_j = [200 * 2400.0, 300 * 2385.0]
    scale_j = 0.05 * sum(energies_j)
    own_j = sum((0.06**2 - 0.05**2) * energy_j**2 for energy_j in energies_j) ** 0.5
    assert record.interval_j.gpu is not None
    half_j = (record.interval_j.gpu[1] - record.interval_j.gpu[0]) / 2
    assert half_j == pytest.approx((scale_j**2 + own_j**2) ** 0.5, rel=1e-6)


def test_a_node_that_came_back_after_the_end(user: User, engine: str) -> None:
    record = of(user, engine, w.CUT)
    assert within(w.CUT.whole_j(), record.interval_j.total)
    assert not within(w.CUT.whole_j() * 1.2, record.interval_j.total)
    assert record.energy_j.total == pytest.approx(w.CUT.whole_j(to_s=1785))
    assert (record.complete, reasons(record)) == (False, {"cut_off"})


def test_a_node_that_never_came_back(user: User, engine: str) -> None:
    record = of(user, engine, w.GONE)
    assert record.energy_j.total == pytest.approx(w.GONE.whole_j(to_s=1785))
    assert (record.complete, reasons(record)) == (False, {"cut_off"})
    assert "not known" in record.faults[0].detail


def test_a_job_that_left_between_two_scrapes(user: User, engine: str) -> None:
    record = user.record(engine, "--job", "16", *UNTIL)
    parts_are_exact(record)
    assert record.energy_j.total == pytest.approx(w.HASTY.whole_j(to_s=3000))
    assert within(w.HASTY.whole_j(), record.interval_j.total)
    assert (record.complete, reasons(record)) == (False, {"cut_off"})


def test_a_node_that_was_done_early(user: User, engine: str) -> None:
    record = user.record(engine, "--job", "17", *UNTIL)
    assert record.energy_j.total == pytest.approx(sum(load.whole_j() for load in w.SPREAD))
    assert (record.complete, record.faults) == (True, [])
    assert record.wall_s == pytest.approx(2400, abs=2 * w.STEP_S)


def test_counters_that_were_lost(user: User, engine: str) -> None:
    record = of(user, engine, w.LOST)
    lost_j = (1805 - 1800) * 110.0
    assert record.energy_j.total == pytest.approx(w.LOST.whole_j() - lost_j)
    assert within(w.LOST.whole_j(), record.interval_j.total)
    assert (record.complete, reasons(record)) == (False, {"counter_reset"})


@pytest.mark.parametrize("load", [w.MOVED, w.TWICE], ids=["moved", "twice"])
def test_one_account_is_counted_once(user: User, engine: str, load: Load) -> None:
    record = of(user, engine, load)
    assert record.energy_j.total == pytest.approx(load.whole_j())
    assert (record.complete, record.faults, len(record.nodes)) == (True, [], 1)
    series = next(one for one in record.power if one.device.startswith("GPU"))
    known_w = [power_w for power_w in series.run_power_w[1:-1] if power_w is not None]
    assert known_w == pytest.approx([100.0] * len(known_w), rel=1e-3)
    assert len(known_w) > 100


def test_a_job_that_began_before_anybody_looked(user: User, engine: str) -> None:
    record = of(user, engine, w.EARLY)
    assert record.energy_j.total == pytest.approx(w.EARLY.whole_j())
    assert (record.complete, reasons(record)) == (False, {"partial"})


def test_a_service_that_was_started_again(user: User, engine: str) -> None:
    record = user.record(engine, "--job", "cron.service", *UNTIL)
    parts_are_exact(record)
    assert record.energy_j.total == pytest.approx(sum(load.whole_j() for load in w.AGAIN))
    assert (record.complete, record.faults) == (True, [])


def test_a_job_that_still_runs(user: User, engine: str) -> None:
    record = of(user, engine, w.RUNNING)
    assert within(w.RUNNING.whole_j(), record.interval_j.total)
    assert record.energy_j.total == pytest.approx(w.RUNNING.whole_j(), rel=0.005)
    assert record.complete
    assert "it still runs" in user.call(engine, "--job", "13", *X, *UNTIL).out


def test_a_part_of_a_job(user: User, engine: str) -> None:
    since_s = 2000.0
    record = of(user, engine, w.TWO[0], "--since", str(START_S + since_s))
    truth_j = sum(load.whole_j(from_s=since_s) for load in w.TWO)
    assert within(truth_j, record.interval_j.total)
    assert record.energy_j.total == pytest.approx(truth_j, rel=0.02)
    told = user.call(engine, "--job", "7", *X, *UNTIL, "--since", str(START_S + since_s)).out
    assert "it ran before --since already" in told


def test_a_strange_name(user: User, engine: str) -> None:
    record = user.record(engine, "--job", w.STRANGE, *UNTIL)
    assert record.energy_j.total == pytest.approx(w.ODD.whole_j())


def test_consecutive_parts_of_a_user_make_the_whole(user: User, engine: str) -> None:
    edges_s = [2000.0, 3333.0, 4711.0, 6000.0]
    spans_s = [*pairwise(edges_s), (edges_s[0], edges_s[-1])]
    records = [
        user.record(engine, "--user", "33", "--since", str(START_S + since_s), "--until", str(START_S + until_s))
        for since_s, until_s in spans_s
    ]
    *parts, whole = (record.energy_j.total or 0.0 for record in records)
    assert sum(parts) == pytest.approx(whole, rel=1e-9)
    for record, (since_s, until_s) in zip(records, spans_s, strict=True):
        parts_are_exact(record)
        assert within(w.SERVICE.whole_j(since_s, until_s), record.interval_j.total)


def test_a_user_of_many_nodes(user: User, world: str) -> None:
    told = user.record(world, "--user", "1000", "--since", str(START_S - 60), *X, *UNTIL)
    parts_are_exact(told)
    loads = (*w.TWO, w.CUT, w.LOST, w.MOVED, w.TWICE, w.EARLY)
    truth_j = sum(load.whole_j() for load in loads) + w.GONE.whole_j(to_s=1785)
    assert told.energy_j.total == pytest.approx(truth_j - 550, rel=1e-6)
    assert {"unscraped", "counter_reset"} <= reasons(told)
    assert not told.complete


def test_everything(user: User, engine: str) -> None:
    told = user.summary(engine, "--since", str(START_S), *UNTIL)
    assert told["schema"] == "aipower.fleet/1"
    rows = {(row["cluster"], row["system"], row["job"]): row for row in told["rows"]}
    assert sum(row["energy_j"] for row in told["rows"]) == pytest.approx(told["energy_j"], rel=1e-9)
    assert rows["x", "slurm", "7"]["energy_j"] == pytest.approx(sum(load.whole_j() for load in w.TWO))
    assert rows["x", "slurm", "7"]["nodes"] == 2
    assert rows["y", "slurm", "7"]["energy_j"] == pytest.approx(w.OTHER.whole_j())
    assert rows["y", "slurm", "7"]["name"] == "another"
    assert rows["y", "idle", ""]["energy_j"] == pytest.approx(70 * w.LENGTH_S)
    unseen_j = w.FLASH.whole_j() + w.CUT.whole_j(from_s=1785) + w.HASTY.whole_j(from_s=3000)
    assert rows["", "unseen", ""]["energy_j"] == pytest.approx(unseen_j)
    assert len(told["nodes"]) == 12
    assert not told["complete"]
    assert {fault["reason"] for fault in told["faults"]} == {"unscraped", "counter_reset"}


def test_one_node_and_one_system(user: User, world: str) -> None:
    told = user.summary(world, "--since", str(START_S), *UNTIL, "--node", "n1", "--system", "systemd")
    assert [(row["system"], row["job"]) for row in told["rows"]] == [("systemd", "web.service")]
    assert told["nodes"] == ["n1"]
    assert within(w.SERVICE.whole_j(), tuple(told["rows"][0]["interval_j"]))
    record = user.record(world, "--job", "7", *X, *UNTIL, "--node", "n2")
    assert record.energy_j.total == pytest.approx(w.TWO[1].whole_j())
    assert [node.host for node in record.nodes] == ["n2"]
    named = user.record(world, "--job", "11", *UNTIL, "--node", "n6", "--node-label", "node")
    assert named.energy_j.total == pytest.approx(w.MOVED.whole_j())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--job", "7"), "--job 7 is in several clusters (x, y); name one by --match 'cluster=\"y\"'"),
        (("--job", "77"), "--job 77: no such job in 30d 00h at"),
        (("--job", "77"), "; near: 7"),
        (("--job", "7", "--system", "docker"), "no such job of docker in"),
        (("--job", "traim"), "no such job"),
        (("--job", "7", "--match", "cluster=none"), "no job of aipower's is there at all"),
        (("--user", "nobody"), "users are told by their uid there"),
        (("--user", "100"), "near: 100"),
    ],
)
def test_what_is_not_there(user: User, world: str, words: tuple[str, ...], told: str) -> None:
    done = user.mistake(world, *words, *UNTIL)
    assert done.code == 2
    assert told in done.err


def test_what_is_not_there_on_another_engine(user: User, victoria: str) -> None:
    assert "; near: 7" in user.mistake(victoria, "--job", "77", *UNTIL).err
    assert "near: 100" in user.mistake(victoria, "--user", "100", *UNTIL).err


def test_a_job_by_its_name(user: User, engine: str) -> None:
    record = user.record(engine, "--job", "another", *UNTIL, "--match", 'cluster=~"y|z"')
    assert record.energy_j.total == pytest.approx(w.OTHER.whole_j())


def test_the_terminal_says_who_used_what(user: User, world: str) -> None:
    told = user.call(world, "--since", str(START_S), *UNTIL).out
    assert "slurm 7 [train]  1000, x, 2 nodes" in told
    assert "left before it was scraped" in told
    assert "fault    counter_reset: x/n5" in told
    told = user.call(world, "--user", "33", "--since", str(START_S), *UNTIL).out
    assert "jobs" in told
    assert "systemd web.service" in told


def test_files(user: User, world: str, tmp_path: Path) -> None:
    targets = {kind: tmp_path / f"out.{kind}" for kind in ("json", "csv", "html")}
    words = [word for kind, path in targets.items() for word in (f"--{kind}", str(path))]
    done = user.call(world, "--job", "12", *X, *UNTIL, *words)
    assert (done.code, done.out, done.err.count("\n")) == (0, "", 3)
    assert b"resolution_s" in targets["csv"].read_bytes()
    assert b"slurm" in targets["html"].read_bytes()
    user.call(world, "--since", str(START_S), *UNTIL, "--csv", str(targets["csv"]))
    lines = targets["csv"].read_text().splitlines()
    assert lines[0].startswith("cluster,system,job,user,name,team,energy_j")
    assert any(line.startswith("x,slurm,7,1000,train,t,") for line in lines)
