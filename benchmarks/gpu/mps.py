"""7: whose pid the driver names under MPS, the server's or the client's. It starts no MPS by itself."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from benchmarks.gpu.card import CallFailedError
from benchmarks.gpu.process_sampler import ask
from benchmarks.gpu.seams import STEADY, Bench, Experiment, Outcome, SkipError

SERVER, CONTROL = "nvidia-cuda-mps-server", "nvidia-cuda-mps-control"
LISTS = {
    "compute list": "nvmlDeviceGetComputeRunningProcesses",
    "MPS list": "nvmlDeviceGetMPSComputeRunningProcesses",
}
SETTLE_S = 5.0
LOOK_BACK_US = 3_000_000


def pids_of(program: str, proc: Path) -> frozenset[int]:
    """The processes whose first word ends in `program`."""
    found = set()
    for folder in proc.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended
        if os.path.basename(words[0].decode(errors="replace")) == program:  # noqa: PTH119 - not a path of ours
            found.add(int(folder.name))
    return frozenset(found)


def roles(pids: Iterable[int], client: int, servers: frozenset[int]) -> dict[str, int]:
    """How often the pids are the client's, a server's, or neither's."""
    count = {"client": 0, "server": 0, "other": 0}
    for pid in pids:
        count["client" if pid == client else "server" if pid in servers else "other"] += 1
    return count


def listed(bench: Bench, function: str) -> list[int] | str:
    """The pids of a list, or why there is none."""
    try:
        return [int(row.pid) for row in bench.card.call(function)]
    except CallFailedError as error:
        return str(error)


def run(bench: Bench, proc: Path = Path("/proc")) -> Outcome:
    """The whole experiment.

    Raises:
        SkipError: No MPS is running.
    """
    if not pids_of(SERVER, proc) | pids_of(CONTROL, proc):
        raise SkipError("no MPS runs here; start it with `nvidia-cuda-mps-control -d`, end it with `quit`")
    with bench.need_loads().start(STEADY) as load:
        bench.clock.sleep(SETTLE_S)
        servers = pids_of(SERVER, proc)
        found = {name: listed(bench, function) for name, function in LISTS.items()}
        rows = ask(bench, round(bench.clock.unix_s() * 1e6) - LOOK_BACK_US).rows
        found["process samples"] = [pid for pid, _, _ in rows]
        data = {
            name: pids if isinstance(pids, str) else roles(pids, load.pid, servers) for name, pids in found.items()
        }
    return Outcome(data, [(name, str(one)) for name, one in data.items()])


EXPERIMENT = Experiment("mps", "7 Whose pid under MPS", run, 20)
