"""A cluster with accounting, an agent with simulated sensors for each of its two nodes, and our scripts in place.

Both nodes are this machine, so each agent sees the processes of both: a job on n1 has an account on n2 too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.agents import Agent, agent
from slurm.accounting import accounting
from slurm.cluster import COMMAND_S, NODES, Cluster, running

SCRIPTS = Path(__file__).parents[2] / "deploy" / "slurm"
DEADLINE_S = 60.0
CONFIGURATION = """\
Prolog={folder}/prolog
Epilog={folder}/epilog
EpilogSlurmctld={folder}/epilog_slurmctld
TaskProlog={folder}/task_prolog
"""
SETTINGS = """\
AIPOWER={folder}/aipower
SPOOL={folder}/spool
SOCKET={folder}/$SLURMD_NODENAME.sock
export SLURM_CONF={folder}/slurm.conf
"""
AGENT = "interval_s = 0.5\nprocess_interval_s = 0.5\n"
"""Jobs of seconds are seen well."""
COMMAND = """#!/bin/sh
shift
exec {python} -c '
import sys
from aipower.arguments import Parser
from aipower.jobs.cli import add_arguments
add_arguments(parser := Parser())
arguments = parser.parse_args(sys.argv[1:])
sys.exit(arguments.main(arguments))
' "$@"
"""
LINE = re.compile(
    r"aipower: (?P<joules>[\d.]+) joules \((?P<kinds>(?:gpu|cpu|dram) [\d.]+(?:, (?:cpu|dram) [\d.]+)*)\)"
    r" \+-(?P<half>[\d.]+), (?:gpu held \d+ s unused \d+ s, )?(?P<told>\d+) of (?P<nodes>\d+) nodes,"
    r" counter, simulated"
)


@dataclass(frozen=True, slots=True)
class Energy:
    """What stands in a job's comment."""

    joules: float
    kinds: dict[str, float]
    told: int
    nodes: int


@dataclass(frozen=True, slots=True)
class Site:
    """All of it, running."""

    folder: Path
    cluster: Cluster
    agents: dict[str, Agent]

    def submit(self, *words: str, script: str) -> str:
        """The id of a batch job."""
        output = f"--output={self.folder}/job-%j.out"
        done = self.cluster.call("sbatch", "--parsable", output, *words, "--wrap", script, folder=self.folder)
        assert done.returncode == 0, done.stderr + self.cluster.logs()
        return done.stdout.strip()

    def wait_for(self, job: str) -> None:
        """Returns once the job is in no queue, so that its epilogs are over."""
        deadline_s = time.monotonic() + DEADLINE_S
        while self.call("squeue", "-h", "-j", job).strip():
            assert time.monotonic() < deadline_s, self.cluster.logs()
            time.sleep(0.1)

    def call(self, *words: str) -> str:
        """What a command of Slurm's prints; empty where it fails, as squeue does for a job that has gone."""
        return self.cluster.call(*words, folder=self.folder).stdout

    def told(self, job: str, field: str = "AdminComment") -> str:
        """What `sacct` says of a job."""
        return self.call("sacct", "-n", "-X", "-P", "-j", job, "-o", field).strip()

    def comment(self, job: str, field: str = "AdminComment") -> str:
        """A comment, once there is energy in it."""
        deadline_s = time.monotonic() + DEADLINE_S
        while "aipower:" not in (comment := self.told(job, field)):
            assert time.monotonic() < deadline_s, f"{comment!r}\n{self.cluster.logs()}\n{self.left()}"
            time.sleep(0.2)
        return comment

    def energy(self, job: str) -> Energy:
        """What its AdminComment says."""
        comment = self.comment(job)
        found = LINE.search(comment)
        assert found, comment
        kinds = {kind: float(joules) for kind, joules in (part.split() for part in found["kinds"].split(", "))}
        return Energy(float(found["joules"]), kinds, int(found["told"]), int(found["nodes"]))

    def asked(self, node: str, job: str) -> Any:
        """What the agent of a node tells of a job."""
        command, socket = os.fspath(self.folder / "aipower"), os.fspath(self.folder / f"{node}.sock")
        words = [command, "jobs", "--socket", socket, "--job", job, "--json"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=COMMAND_S, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def used_j(self, node: str, job: str) -> float:
        """The energy of a job by the agent of a node."""
        return float(sum(row["energy_j"]["total"] for row in self.asked(node, job)["jobs"]))

    def left(self) -> list[str]:
        """What is in the folder that the nodes share."""
        return sorted(str(path.relative_to(self.folder)) for path in (self.folder / "spool").rglob("*"))

    def states(self) -> list[str]:
        """Of the nodes: `idle` where nothing runs and nobody has drained one."""
        return self.call("sinfo", "-h", "-N", "-o", "%T").split()

    @contextlib.contextmanager
    def stopped(self, node: str) -> Iterator[None]:
        """The agent of a node hangs meanwhile."""
        process = self.agents[node].process
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def site(folder: Path) -> Iterator[Site]:
    """The site in `folder`."""
    for name in ("prolog", "epilog", "epilog_slurmctld", "task_prolog"):
        shutil.copy(SCRIPTS / name, folder / name)
    (folder / "spool").mkdir()
    (folder / "aipower.conf").write_text(SETTINGS.format(folder=folder))
    (folder / "aipower").write_text(COMMAND.format(python=sys.executable))
    (folder / "aipower").chmod(0o755)
    with contextlib.ExitStack() as stack:
        agents = {node: stack.enter_context(_agent(folder, node)) for node in NODES}
        books = stack.enter_context(accounting(folder))
        cluster = stack.enter_context(running(folder, books + CONFIGURATION.format(folder=folder)))
        for one in agents.values():
            one.until_healthy()
        yield Site(folder, cluster, agents)


@contextlib.contextmanager
def _agent(folder: Path, node: str) -> Iterator[Agent]:
    """Their sensors differ, so that no sum comes out by chance: n1 has one GPU, n2 has two."""
    place = folder / f"agent-{node}"
    place.mkdir()
    (place / "aipower.toml").write_text(AGENT)
    words = ["--config", os.fspath(place / "aipower.toml"), "--sensors", f"fake:{NODES.index(node) + 1}"]
    with agent(place, *words, env={"AIPOWER_SOCKET": os.fspath(folder / f"{node}.sock")}) as one:
        yield one
