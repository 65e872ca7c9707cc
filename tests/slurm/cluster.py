"""A real Slurm cluster of two nodes on this machine: slurmctld and two slurmd, in a folder of their own.

Nothing of the system is touched: own ports, own state, no munge (auth/none), no cgroups, and accounting only where it
is asked for, in a database of its own. All daemons run in the foreground as our children and are ended by pid.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NODES = ("n1", "n2")
CPUS = 4
READY_S, END_S, COMMAND_S = 20.0, 5.0, 40.0
NEEDED = ("slurmctld", "slurmd", "srun", "sbatch", "sinfo", "squeue")
NO_ACCOUNTING = "AccountingStorageType=accounting_storage/none\n"

CONFIGURATION = """\
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort={ports[0]}
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldLogFile={folder}/ctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[1]} CPUs={cpus}
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[2]} CPUs={cpus}
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=10 State=UP
{more}
"""


def why_not(needed: Sequence[str] = NEEDED) -> str:
    """Why no cluster can be had here; empty where one can."""
    if os.geteuid() != 0:
        return "slurmd must run as root"
    missing = [name for name in needed if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)} (Debian: slurmctld slurmd slurm-client)" if missing else ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Two nodes that are up."""

    folder: Path
    environment: dict[str, str]

    def call(self, *words: str, folder: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`srun ...` and the like, in `folder`."""
        environment = {**self.environment, **(env or {})}
        return subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, timeout=COMMAND_S, check=False
        )

    def wait_until_empty(self) -> None:
        """Until no job is left; `sbatch --wait` would look at ever longer intervals.

        Raises:
            TimeoutError: One is still there; with the daemons' last words.
        """
        deadline_s = time.monotonic() + COMMAND_S
        while time.monotonic() < deadline_s:
            done = self.call("squeue", "-h", folder=self.folder)
            if done.returncode == 0 and not done.stdout.strip():
                return
            time.sleep(0.2)
        raise TimeoutError(self.logs())

    def logs(self) -> str:
        """The last words of the daemons, for a failure."""
        return "\n".join(f"{path.name}: {path.read_text()[-2000:]}" for path in sorted(self.folder.glob("*.log")))


@contextlib.contextmanager
def running(folder: Path, more: str = NO_ACCOUNTING) -> Iterator[Cluster]:
    """A cluster that lives in `folder`, both nodes idle, with `more` in its configuration.

    Raises:
        RuntimeError: The daemons did not come up in time; with their last words.
    """
    (folder / "state").mkdir()
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, ports=free_ports(3), cpus=CPUS, more=more))
    # slurmd looks for a cgroup plugin even where nothing uses one.
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    plain = {name: word for name, word in os.environ.items() if not name.startswith(("SLURM", "SBATCH"))}
    cluster = Cluster(folder, {**plain, "SLURM_CONF": str(configuration)})
    commands = [["slurmctld", "-D"], *(["slurmd", "-D", "-N", node] for node in NODES)]
    with contextlib.ExitStack() as daemons:
        for command in commands:
            daemons.enter_context(daemon(command, cluster.environment, folder))
        _wait_until_idle(cluster)
        yield cluster


@contextlib.contextmanager
def daemon(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Iterator[None]:
    """A program that runs in `folder` meanwhile."""
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, cwd=folder, stdin=null, stdout=null, stderr=null)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_idle(cluster: Cluster) -> None:
    deadline_s = time.monotonic() + READY_S
    while time.monotonic() < deadline_s:
        done = cluster.call("sinfo", "-h", "-N", "-o", "%T", folder=cluster.folder)
        if done.stdout.split() == ["idle"] * len(NODES):
            return
        time.sleep(0.2)
    raise RuntimeError(f"the cluster is not up after {READY_S:.0f} s\n{cluster.logs()}")


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens at."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
