"""A cluster with accounting, an agent with a made-up RAPL for each of its two nodes, and our scripts in place.

Both nodes are this machine, so each agent sees the processes of both: a job on n1 has an account on n2 too.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aipower.processes.procfs import ProcFs
from daemon.agents import Agent, agent
from slurm.accounting import accounting
from slurm.cluster import COMMAND_S, NODES, Cluster, running

SCRIPTS = Path(__file__).parents[2] / "deploy" / "slurm"
DEADLINE_S = 60.0
IDLE_W, PER_CPU_W = 20.0, {"n1": 50.0, "n2": 80.0}
PERIOD_S = 4.0
DIGITS = 15
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
COMMAND = '#!/bin/sh\nexec {python} -m aipower "$@"\n'
LINE = re.compile(
    r"aipower: (?P<joules>[\d.]+) joules \(cpu (?P=joules)\) \+-(?P<half>[\d.]+),"
    r" (?P<told>\d+) of (?P<nodes>\d+) nodes, counter$"
)


@dataclass(frozen=True, slots=True)
class Energy:
    """What stands in a job's comment."""

    joules: float
    half_j: float
    told: int
    nodes: int


def energy_in(comment: str) -> Energy:
    """What a comment says."""
    found = LINE.search(comment)
    assert found, comment
    return Energy(float(found["joules"]), float(found["half"]), int(found["told"]), int(found["nodes"]))


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
        self.until(lambda: not self.call("squeue", "-h", "-j", job).strip())

    def until(self, there: Callable[[], bool]) -> None:
        """Returns once it is."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not there():
            assert time.monotonic() < deadline_s, f"{self.cluster.logs()}\n{self.left()}"
            time.sleep(0.1)

    def call(self, *words: str) -> str:
        """What a command of Slurm's prints; empty where it fails, as squeue does for a job that has gone."""
        return self.cluster.call(*words, folder=self.folder).stdout

    def told(self, job: str, field: str = "AdminComment") -> str:
        """What `sacct` says of a job."""
        return self.call("sacct", "-n", "-X", "-P", "-j", job, "-o", field).strip()

    def comment(self, job: str, field: str = "AdminComment") -> str:
        """A comment, once there is energy in it."""
        self.until(lambda: "aipower:" in self.told(job, field))
        return self.told(job, field)

    def energy(self, job: str) -> Energy:
        """What its AdminComment says."""
        return energy_in(self.comment(job))

    def runs(self, job: str) -> list[str]:
        """The AdminComments of all runs of a job that was requeued."""
        return self.call("sacct", "-n", "-X", "-P", "-D", "-j", job, "-o", "AdminComment").splitlines()

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
    """An agent whose processor is not that of the other, so that no sum comes out by chance."""
    place = folder / f"agent-{node}"
    place.mkdir()
    (place / "aipower.toml").write_text(AGENT)
    words = ["--config", os.fspath(place / "aipower.toml"), "--sensors", "rapl"]
    places = {
        "AIPOWER_SOCKET": os.fspath(folder / f"{node}.sock"),
        "AIPOWER_POWERCAP_ROOT": os.fspath(place / "powercap"),
    }
    with Processor(place / "powercap", PER_CPU_W[node]), agent(place, *words, env=places) as one:
        yield one


class Processor(threading.Thread):
    """A processor's counter: idle power for the time, and about `per_cpu_w` for each CPU second of this machine.

    How much it is comes and goes: on a machine that is busy all the time nobody could tell work from idle power.
    """

    def __init__(self, powercap: Path, per_cpu_w: float) -> None:
        super().__init__(daemon=True)
        self._zone = powercap / "intel-rapl:0"
        self._per_cpu_w = per_cpu_w
        self._procfs = ProcFs()
        self._over = threading.Event()
        self._energy_j, self._at_s, self._busy_s = 0.0, time.monotonic(), self._procfs.cpu_totals().busy_s

    def __enter__(self) -> Self:
        self._zone.mkdir(parents=True)
        (self._zone / "name").write_text("package-0\n")
        (self._zone / "max_energy_range_uj").write_text(f"{10**DIGITS}\n")
        self._write()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(0.02):
            self._write()

    def _write(self) -> None:
        """In place, and always so long: a reader sees a whole number."""
        now_s, busy_s = time.monotonic(), self._procfs.cpu_totals().busy_s
        per_cpu_w = self._per_cpu_w * (1 + math.sin(2 * math.pi * now_s / PERIOD_S))
        self._energy_j += IDLE_W * (now_s - self._at_s) + per_cpu_w * (busy_s - self._busy_s)
        self._at_s, self._busy_s = now_s, busy_s
        text = f"{int(self._energy_j * 1e6):0{DIGITS}d}\n"
        descriptor = os.open(self._zone / "energy_uj", os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(descriptor, text.encode(), 0)
        os.close(descriptor)
