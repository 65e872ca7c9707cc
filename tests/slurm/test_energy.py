"""A job's energy in its comment, on a real Slurm with a real database."""

from __future__ import annotations

import time

import pytest

from slurm.cluster import NODES
from slurm.site import Site

BUSY = "timeout 1.5 sh -c 'while :; do :; done'"


def test_a_batch_job_has_its_energy_in_its_comment(slurm: Site) -> None:
    job = slurm.submit("-w", "n1", "--comment", "mine, not yours", script=f"{BUSY}; true")
    slurm.wait_for(job)
    energy = slurm.energy(job)
    assert energy.joules > 0
    assert energy.joules == pytest.approx(sum(energy.kinds.values()), abs=0.002)
    assert energy.joules == pytest.approx(slurm.used_j("n1", job), abs=0.001), "what the agent of its node knows"
    assert (energy.told, energy.nodes) == (1, 1)
    assert slurm.told(job, "Comment") == "mine, not yours"
    assert not slurm.left(), "the files are removed"


def test_nodes_are_added_up_after_what_others_have_written(slurm: Site) -> None:
    job = slurm.submit("-N2", script=f"srun {BUSY}; sleep 1")
    slurm.call("scontrol", "update", f"jobid={job}", "AdminComment=ours; keep this")
    slurm.wait_for(job)
    energy = slurm.energy(job)
    assert (energy.told, energy.nodes) == (2, 2)
    assert energy.joules == pytest.approx(sum(slurm.used_j(node, job) for node in NODES), abs=0.001)
    assert slurm.comment(job).startswith("ours; keep this; aipower: ")
    rows = slurm.asked("n2", job)["jobs"]
    assert {"0", "batch"} >= {row["step"] for row in rows} >= {"0"}
    assert {row["team"] for row in rows} == {slurm.told(job, "Account")}, "from the task prolog"


def test_a_text_that_sacctmgr_would_change_is_left_alone(slurm: Site) -> None:
    job = slurm.submit("-w", "n1", script="sleep 1")
    slurm.call("scontrol", "update", f"jobid={job}", 'AdminComment={"Ticket": "A-17"}')
    slurm.wait_for(job)
    assert slurm.comment(job, "SystemComment").startswith("aipower: ")
    assert slurm.told(job) == '{"Ticket": "A-17"}'


def test_tasks_of_an_array_have_comments_of_their_own(slurm: Site) -> None:
    array = slurm.submit("--array=1-2", "-w", "n2", script=f"sleep $SLURM_ARRAY_TASK_ID; {BUSY}; true")
    slurm.wait_for(array)
    energies = [slurm.energy(f"{array}_{task}").joules for task in (1, 2)]
    ids = [slurm.told(f"{array}_{task}", "JobIDRaw") for task in (1, 2)]
    assert energies == pytest.approx([slurm.used_j("n2", job) for job in ids], abs=0.001)
    assert len(set(energies)) == 2


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
