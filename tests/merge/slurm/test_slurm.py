"""`srun aipower-run ...` on two nodes of a real Slurm, and its records merged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from aipower.job.leader import runtime_dir
from aipower.job.record import from_fields
from aipower.runrecord import RunRecord, from_json
from merge.together import WORK
from run.aipower_run import CODE
from slurm.cluster import COMMAND_S, NODES, Cluster

ROOT = Path(__file__).parents[3]
RANK = """
exec "$PYTHON" -c "$AIPOWER_RUN" -q --sensors fake:2 --json rank-$SLURM_PROCID.json "$PYTHON" -c "$WORK"
"""
TELL = f"""
import json, os, sys
from aipower.job.fields import job_fields
from aipower.job.leader import elect, election_key
fields = job_fields(os.environ, os.uname().nodename)
lease = elect(election_key(fields), sys.argv[1], fields.get("local_rank", ""))
{WORK}
print(json.dumps([fields, lease.leader, lease.note]), flush=True)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    return {
        "AIPOWER_SOCKET": "none",
        "AIPOWER_POWERCAP_ROOT": "/nonexistent",
        "AIPOWER_RUNS_DIR": str(tmp_path / "runs"),
        "AIPOWER_USER_CONFIG": "none",
        "XDG_RUNTIME_DIR": str(runtime),
        "SLURM_TOKEN_OF_MINE": "secret",
    }


def test_each_node_of_a_step_has_one_leader(cluster: Cluster, tmp_path: Path, environment: dict[str, str]) -> None:
    folder = runtime_dir(environment)
    done = cluster.call(
        "srun",
        "-N2",
        "-n4",
        "--ntasks-per-node=2",
        sys.executable,
        "-c",
        TELL,
        folder,
        folder=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr + cluster.logs()
    told = [json.loads(line) for line in done.stdout.splitlines()]
    jobs = [from_fields(fields, leader=leader) for fields, leader, _ in told]
    assert not any(note for *_, note in told)
    ranks = sorted((job.rank, job.node, job.local_rank, job.ranks) for job in jobs if job)
    assert ranks == [(0, "n1", 0, 4), (1, "n1", 1, 4), (2, "n2", 0, 4), (3, "n2", 1, 4)]
    assert sorted(job.node for job in jobs if job and job.leader) == ["n1", "n2"]
    assert len({(job.system, job.id, job.step) for job in jobs if job}) == 1
    assert "secret" not in done.stdout


def test_four_ranks_on_two_nodes_are_one_run(cluster: Cluster, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "rank.sh").write_text(RANK)
    program = environment | {"PYTHON": sys.executable, "AIPOWER_RUN": CODE, "WORK": WORK}
    done = cluster.call("srun", "-N2", "-n4", "--ntasks-per-node=2", "sh", "rank.sh", folder=tmp_path, env=program)
    assert done.returncode == 0, done.stderr + cluster.logs()
    ranks = [from_json((tmp_path / f"rank-{rank}.json").read_bytes()) for rank in range(4)]
    jobs = [record.job for record in ranks]
    assert [(job.node, job.rank) for job in jobs if job] == [("n1", 0), ("n1", 1), ("n2", 2), ("n2", 3)]
    assert sorted(job.node for job in jobs if job and job.leader) == ["n1", "n2"], "one leader for each node"

    assert main_of(tmp_path, environment, "merge", "--json", "-o", "job.json", ".")
    merged = from_json((tmp_path / "job.json").read_bytes())
    assert sorted(merged.merged_from) == sorted(record.run_id for record in ranks)
    assert merged.simulated
    assert [(node.host, node.ranks) for node in merged.nodes] == [("n1", [0, 1]), ("n2", [2, 3])]
    assert_counted_once(merged, ranks)


def test_the_batch_script_of_the_examples(cluster: Cluster, tmp_path: Path, environment: dict[str, str]) -> None:
    script = str(ROOT / "examples" / "slurm" / "measured.sbatch")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    words = ["-J", "digits", script, sys.executable, "-c", WORK]
    done = cluster.call("sbatch", *words, folder=tmp_path, env=environment | {"PATH": path})
    cluster.wait_until_empty()
    printed = "".join(file.read_text() for file in tmp_path.glob("digits-*.out"))
    assert done.returncode == 0, done.stderr + printed + cluster.logs()
    (written,) = tmp_path.glob("digits-*.json")
    merged = from_json(written.read_bytes())
    assert (merged.name, len(merged.merged_from)) == ("digits", 4)
    assert [node.ranks for node in merged.nodes] == [[0, 1], [2, 3]]
    assert merged.job is not None
    assert written.name == f"digits-{merged.job.id}.json"
    assert "2 ranks" in printed
    assert len(list((tmp_path / "runs").glob("*.json"))) == 5, "the parts and their sum"


def test_a_cancelled_job_leaves_all_its_parts(cluster: Cluster, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "rank.sh").write_text(RANK)
    program = environment | {"PYTHON": sys.executable, "AIPOWER_RUN": CODE, "WORK": f"{WORK}\ntime.sleep(600)"}
    words = ["sbatch", "--parsable", "-N2", "--ntasks-per-node=2", "-o", "out", "--wrap", "srun sh rank.sh"]
    done = cluster.call(*words, folder=tmp_path, env=program)
    assert done.returncode == 0, done.stderr + cluster.logs()
    wait_for(lambda: len(list(tmp_path.glob("here-*"))) == 4, cluster)
    assert cluster.call("scancel", done.stdout.strip(), folder=tmp_path).returncode == 0
    cluster.wait_until_empty()
    merged = from_json(main_of(tmp_path, environment, "merge", "--json", "--job", done.stdout.strip()).encode())
    assert [node.ranks for node in merged.nodes] == [[0, 1], [2, 3]]
    assert merged.exit_code == 128 + signal.SIGTERM
    assert merged.energy_j.total is not None
    assert "missing_ranks" not in {fault.reason for fault in merged.faults}


def wait_for(there: Callable[[], bool], cluster: Cluster) -> None:
    deadline_s = time.monotonic() + COMMAND_S
    while not there():
        assert time.monotonic() < deadline_s, cluster.logs()
        time.sleep(0.1)


def main_of(folder: Path, env: dict[str, str], *words: str) -> str:
    """What `aipower ...` prints."""
    command = [sys.executable, "-m", "aipower", *words]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_counted_once(merged: RunRecord, ranks: Sequence[RunRecord]) -> None:
    """Each device of each node is there once, with the energy that one rank saw, and the ranks' parts within it."""
    assert len(merged.devices) == sum(len(rank.devices) for rank in ranks) / 2
    for row in merged.devices:
        node, _, device = row.device.partition("/")
        seen = [
            one for rank in ranks if rank.job and rank.job.node == node for one in rank.devices if one.device == device
        ]
        assert len(seen) == 2
        assert row.energy_j is not None
        assert row.run_energy_j is not None
        assert row.run_energy_j <= row.energy_j
        alone = [pytest.approx(one.energy_j) for one in seen]
        assert row.energy_j in [*alone, row.run_energy_j], "one rank's word, or the least that both together tell"
    cpu_j = [sum(rank.energy_j.cpu or 0.0 for rank in ranks if rank.job and rank.job.node == node) for node in NODES]
    assert [node.energy_j.cpu for node in merged.nodes] == pytest.approx(cpu_j)
