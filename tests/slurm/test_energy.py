"""A job's energy in its comment, on a real Slurm with a real database."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from slurm.cluster import NODES
from slurm.site import Site, energy_in

BUSY = "timeout 1.5 sh -c 'while :; do :; done'"
TEXT = '{"Ticket": "A-17"}'


@dataclass(frozen=True, slots=True)
class Jobs:
    """Their ids; all of them have ended."""

    batch: str
    nodes: str
    ticket: str
    array: str


@pytest.fixture(scope="module")
def jobs(slurm: Site) -> Jobs:
    """Run side by side, as they would one after the other, but sooner."""
    found = Jobs(
        slurm.submit("-w", "n1", "--comment", "mine, not yours", script=f"{BUSY}; true"),
        slurm.submit("-N2", script=f"srun {BUSY}; sleep 1"),
        slurm.submit("-w", "n1", script="sleep 2"),
        slurm.submit("--array=1-2", "-w", "n2", script=f"sleep $SLURM_ARRAY_TASK_ID; {BUSY}; true"),
    )
    slurm.call("scontrol", "update", f"jobid={found.nodes}", "AdminComment=ours; keep this")
    slurm.call("scontrol", "update", f"jobid={found.ticket}", f"AdminComment={TEXT}")
    for job in (found.batch, found.nodes, found.ticket, found.array):
        slurm.wait_for(job)
    return found


def test_a_batch_job_has_its_energy_in_its_comment(slurm: Site, jobs: Jobs) -> None:
    energy = slurm.energy(jobs.batch)
    assert energy.joules > 0
    assert energy.half_j > 0
    assert energy.joules == pytest.approx(slurm.used_j("n1", jobs.batch), abs=0.001), (
        "what the agent of its node knows"
    )
    assert (energy.told, energy.nodes) == (1, 1)
    assert slurm.told(jobs.batch, "Comment") == "mine, not yours"


def test_nodes_are_added_up_after_what_others_have_written(slurm: Site, jobs: Jobs) -> None:
    energy = slurm.energy(jobs.nodes)
    assert (energy.told, energy.nodes) == (2, 2)
    assert energy.joules == pytest.approx(sum(slurm.used_j(node, jobs.nodes) for node in NODES), abs=0.001)
    assert slurm.comment(jobs.nodes).startswith("ours; keep this; aipower: ")
    rows = slurm.asked("n2", jobs.nodes)["jobs"]
    assert "0" in {row["step"] for row in rows}
    assert {row["team"] for row in rows} == {slurm.told(jobs.nodes, "Account")}, "from the task prolog"


def test_a_text_that_sacctmgr_would_change_is_left_alone(slurm: Site, jobs: Jobs) -> None:
    assert slurm.comment(jobs.ticket, "SystemComment").startswith("aipower: ")
    assert slurm.told(jobs.ticket) == TEXT


def test_tasks_of_an_array_have_comments_of_their_own(slurm: Site, jobs: Jobs) -> None:
    tasks = [f"{jobs.array}_{task}" for task in (1, 2)]
    energies = [slurm.energy(task).joules for task in tasks]
    assert energies == pytest.approx([slurm.used_j("n2", slurm.told(task, "JobIDRaw")) for task in tasks], abs=0.001)
    assert len(set(energies)) == 2


def test_no_file_is_left_of_what_is_in_the_books(slurm: Site, jobs: Jobs) -> None:
    assert slurm.comment(f"{jobs.array}_2")
    slurm.until(lambda: not slurm.left())


def test_an_agent_that_hangs_holds_up_no_node_and_no_job(slurm: Site) -> None:
    with slurm.stopped("n2"):
        job = slurm.submit("-N2", script=f"srun {BUSY}; true")
        while slurm.call("squeue", "-h", "-j", job, "-o", "%T").strip() in {"PENDING", "RUNNING"}:
            time.sleep(0.05)
        ended_s = time.monotonic()
        slurm.wait_for(job)
        took_s = time.monotonic() - ended_s
        energy = slurm.energy(job)
    assert slurm.told(job, "State") == "COMPLETED"
    assert (energy.told, energy.nodes) == (1, 2)
    assert energy.joules == pytest.approx(slurm.used_j("n1", job), abs=0.001)
    assert slurm.states() == ["idle", "idle"]
    assert took_s < 10, "three seconds for the sum, on a machine that may be busy with other things"


def test_a_missing_agent_costs_a_job_nothing(slurm: Site) -> None:
    socket = slurm.folder / "n1.sock"
    hidden = socket.rename(slurm.folder / "hidden.sock")
    try:
        job = slurm.submit("-w", "n1", script="echo done")
        slurm.wait_for(job)
    finally:
        hidden.rename(socket)
    assert slurm.told(job, "State,ExitCode") == "COMPLETED|0:0"
    assert slurm.told(job) == "", "nobody has measured it"
    assert slurm.states() == ["idle", "idle"]
    assert not slurm.left()


def test_each_run_of_a_requeued_job_has_what_it_used_itself(slurm: Site) -> None:
    script = "timeout $((SLURM_RESTART_COUNT ? 2 : 60)) sh -c 'while :; do :; done'; true"
    job = slurm.submit("-w", "n1", "--requeue", script=script)
    slurm.until(lambda: slurm.used_j("n1", job) > 0)
    slurm.call("scontrol", "requeue", job)
    slurm.until(lambda: slurm.call("squeue", "-h", "-j", job, "-o", "%T").strip() == "PENDING")
    slurm.until(lambda: any("aipower:" in comment for comment in slurm.runs(job)) and not slurm.left())
    slurm.call("scontrol", "update", f"jobid={job}", "StartTime=now")  # it would wait for two minutes
    slurm.until(lambda: not slurm.call("squeue", "-h", "-j", job).strip())
    slurm.until(lambda: len(slurm.runs(job)) == 2 and all("aipower:" in comment for comment in slurm.runs(job)))
    first, second = (energy_in(comment).joules for comment in slurm.runs(job))
    assert min(first, second) > 0
    assert first + second == pytest.approx(slurm.used_j("n1", job), abs=0.002), "one account, two runs"
