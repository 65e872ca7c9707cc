"""Which part of which job a process is: as Slurm, torchrun and MPI tell it, and nothing that may be a secret."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.job.fields import KEPT, LONGEST, job_fields
from aipower.job.record import from_fields, job_of
from aipower.runrecord import JobRecord

SLURM = {
    "SLURM_JOB_ID": "4711",
    "SLURM_STEP_ID": "0",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_NTASKS": "8",
    "SLURM_STEP_NUM_TASKS": "6",
    "SLURM_NODEID": "2",
    "SLURMD_NODENAME": "n3",
    "SLURM_JOB_NODELIST": "n[1-4]",
    "SLURM_ARRAY_JOB_ID": "4700",
    "SLURM_ARRAY_TASK_ID": "11",
}
TORCHRUN = {
    "RANK": "3",
    "LOCAL_RANK": "1",
    "WORLD_SIZE": "4",
    "GROUP_RANK": "1",
    "MASTER_ADDR": "10.0.0.1",
    "MASTER_PORT": "29500",
    "TORCHELASTIC_RUN_ID": "a1b2",
}
OPEN_MPI = {
    "OMPI_COMM_WORLD_RANK": "2",
    "OMPI_COMM_WORLD_LOCAL_RANK": "0",
    "OMPI_COMM_WORLD_SIZE": "4",
    "PMIX_NAMESPACE": "prterun-h-77@1",
    "PMIX_RANK": "2",
}
MPICH = {"PMI_RANK": "1", "PMI_SIZE": "2", "MPI_LOCALRANKID": "1", "MPI_LOCALNRANKS": "2", "PMI_FD": "9"}


def known(job: JobRecord | None) -> tuple[str, str, str, str, int | None, int | None, int | None]:
    assert job is not None
    return job.system, job.id, job.step, job.node, job.rank, job.local_rank, job.ranks


def test_slurm_counts_the_tasks_of_the_step() -> None:
    job = job_of(SLURM, "login")
    assert known(job) == ("slurm", "4711", "0", "n3", 5, 1, 6)
    assert job is not None
    assert job.leader
    assert job.variables["SLURM_ARRAY_TASK_ID"] == "11"


def test_a_batch_script_is_one_process_of_the_job() -> None:
    batch = {name: word for name, word in SLURM.items() if not name.startswith("SLURM_STEP")} | {"SLURM_PROCID": "0"}
    assert known(job_of(batch, "h")) == ("slurm", "4711", "", "n3", None, None, None)


def test_old_names_of_slurm_are_known() -> None:
    assert known(job_of({"SLURM_JOBID": "8", "SLURM_STEPID": "1", "SLURM_PROCID": "0"}, "h"))[:4] == (
        "slurm",
        "8",
        "1",
        "h",
    )


def test_torchrun() -> None:
    assert known(job_of(TORCHRUN, "h")) == ("torchrun", "a1b2", "", "h", 3, 1, 4)


@pytest.mark.parametrize("run_id", ["none", ""])
def test_torchrun_without_an_id_is_known_by_its_meeting_point(run_id: str) -> None:
    assert known(job_of(TORCHRUN | {"TORCHELASTIC_RUN_ID": run_id}, "h"))[1] == "10.0.0.1:29500"
    alone = {"RANK": "0", "WORLD_SIZE": "2"}
    assert known(job_of(alone, "h")) == ("torchrun", "", "", "h", 0, None, 2)


def test_a_pod_that_tells_its_rank_alone_is_no_rank_of_torchrun() -> None:
    assert job_of({"RANK": "0"}, "h") is None
    assert job_of({"WORLD_SIZE": "2"}, "h") is None


def test_mpi() -> None:
    assert known(job_of(OPEN_MPI, "h")) == ("mpi", "prterun-h-77@1", "", "h", 2, 0, 4)
    assert known(job_of(MPICH, "h")) == ("mpi", "", "", "h", 1, 1, 2)
    assert known(job_of({"PMIX_RANK": "7", "PMIX_NAMESPACE": "s.1"}, "h")) == ("mpi", "s.1", "", "h", 7, None, None)


def test_within_slurm_the_job_is_slurms_and_the_rank_is_the_launchers() -> None:
    assert known(job_of(SLURM | TORCHRUN, "h")) == ("slurm", "4711", "0", "n3", 3, 1, 4)
    assert known(job_of(SLURM | OPEN_MPI, "h")) == ("slurm", "4711", "0", "n3", 2, 0, 4)
    without_local = {name: word for name, word in TORCHRUN.items() if name != "LOCAL_RANK"}
    assert known(job_of(SLURM | without_local, "h"))[4:] == (3, None, 4)


def test_no_job_is_none() -> None:
    assert job_fields({"PATH": "/bin", "SLURM_CONF": "/etc/slurm.conf"}, "h") == {}
    assert from_fields({}) is None
    assert job_of({"SLURM_JOB_ID": ""}, "h") is None


def test_secrets_stay_out() -> None:
    secrets = {"SLURM_JWT": "eyJ", "AWS_SECRET_ACCESS_KEY": "x", "PMIX_SECURITY": "y", "TORCH_TOKEN": "z"}
    fields = job_fields(SLURM | TORCHRUN | OPEN_MPI | secrets, "h")
    assert not secrets.keys() & fields.keys()
    job = from_fields(fields | secrets)
    assert job is not None
    assert job.variables.keys() <= set(KEPT)


def test_the_leader_is_as_elected() -> None:
    job = from_fields(job_fields(SLURM, "h"), leader=False)
    assert job is not None
    assert not job.leader


@given(
    st.dictionaries(
        st.sampled_from([*SLURM, *TORCHRUN, *OPEN_MPI, *MPICH, "HOME"]),
        st.one_of(st.text(max_size=8), st.just("9" * 5000), st.just("\udcff\n")),
    )
)
def test_whatever_the_variables_hold_there_is_an_answer(environ: dict[str, str]) -> None:
    job = job_of(environ, "h")
    if job is not None:
        words = [job.system, job.id, job.step, job.node, *job.variables.values()]
        assert all(word.isprintable() and len(word) <= LONGEST for word in words)
        assert all(word.encode() is not None for word in words)
        numbers = (job.rank, job.local_rank, job.ranks)
        assert all(number is None or number >= 0 for number in numbers)


def test_it_is_light_enough_for_the_start_of_every_run() -> None:
    heavy = "'dataclasses', 'typing', 'pathlib', 're', 'argparse', 'json', 'hashlib', 'aipower.runrecord'"
    program = f"import sys, aipower.job.fields, aipower.job.leader; print({{{heavy}}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False)
    # Without the site module, as it may import anything; so the package is put on the path by hand.
    if done.returncode:
        program = f"import sys; sys.path[:0] = {sys.path!r}; {program}"
        done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
