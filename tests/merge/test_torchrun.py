"""Real torchrun on CPUs: one aipower-run around it, and one for each of its ranks."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from aipower.merge.choose import check_one_job
from aipower.merge.merge import merge
from aipower.runrecord import RunRecord, from_json
from run.aipower_run import CODE, environment

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "ddp.py")
LIMIT_S = 110
SAME_HERE = ("--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def python() -> str:
    """A Python that has torch: `$AIPOWER_TORCH_PYTHON`, or our own; skipped without one, but never in CI."""
    named = os.environ.get("AIPOWER_TORCH_PYTHON", "")
    if not named and find_spec("torch") is None and os.environ.get("CI") != "true":
        pytest.skip("torch is not installed: name a Python that has it by AIPOWER_TORCH_PYTHON")
    return named or sys.executable


def call(folder: Path, *words: str) -> str:
    """What the command prints; it must succeed. Its ranks may `import aipower`, whatever Python they are of."""
    env = environment(
        {
            "AIPOWER_RUNS_DIR": str(folder / "runs"),
            "AIPOWER_USER_CONFIG": "none",
            "XDG_RUNTIME_DIR": str(folder),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT / "agent"),
            "PYTHONWARNINGS": "ignore",
        }
    )
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(path: Path) -> RunRecord:
    return from_json(path.read_bytes())


def test_one_run_around_torchrun_sees_all_its_ranks(python: str, tmp_path: Path) -> None:
    measured = [sys.executable, "-c", CODE, "-q", "--sensors", "fake:2", "--json", "run.json"]
    out = call(tmp_path, *measured, python, "-m", "torch.distributed.run", *SAME_HERE, EXAMPLE, "--seconds", "2")
    assert "on 2 ranks: accuracy" in out
    record = read(tmp_path / "run.json")
    assert record.job is None
    ranks = [process for process in record.processes if EXAMPLE in process.command and process.cpu_time_s > 0.1]
    assert len(ranks) >= 2, (record.processes, record.faults)
    phases = {tuple(phase.path): phase for phase in record.phases}
    assert phases[("train",)].count == 2
    assert record.work["samples"] > 0


def test_one_run_for_each_rank_is_merged_into_one(python: str, tmp_path: Path) -> None:
    rank = 'exec "$0" -c "$1" -q --sensors fake:2 --json "rank-$RANK.json" "$2" "$3" --seconds 2'
    torchrun = [python, "-m", "torch.distributed.run", *SAME_HERE, "--no-python"]
    call(tmp_path, *torchrun, "sh", "-c", rank, sys.executable, CODE, python, EXAMPLE)
    records = [read(tmp_path / f"rank-{number}.json") for number in range(2)]
    jobs = [record.job for record in records if record.job]
    assert [(job.system, job.rank, job.local_rank, job.ranks) for job in jobs] == [
        ("torchrun", 0, 0, 2),
        ("torchrun", 1, 1, 2),
    ]
    assert [job.leader for job in jobs].count(True) == 1
    assert all(job.variables["TORCHELASTIC_RUN_ID"] == job.id for job in jobs)
    check_one_job(records)
    merged = merge(records)
    assert [node.ranks for node in merged.nodes] == [[0, 1]]
    assert [row.device for row in merged.devices] == [row.device for row in records[0].devices]
    assert merged.energy_j.cpu == pytest.approx(sum(record.energy_j.cpu or 0.0 for record in records))
    assert merged.work["samples"] == sum(record.work["samples"] for record in records)
    assert {tuple(phase.path): phase.count for phase in merged.phases}[("train",)] == 2
