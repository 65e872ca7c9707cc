"""Runs a command as `aipower-run` does: as its subreaper, with a RunTree looking on. Writes JSON to stdout.

Usage: subreaper_driver.py LOOK_EVERY_S COMMAND...
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time

from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.processes.tree import RunTree, reaped_by_us_s
from aipower.seams import SystemClock

PR_SET_CHILD_SUBREAPER = 36


def look_until_no_child_is_left(tree: RunTree, every_s: float) -> list[float]:
    totals = []
    while True:
        tree.refresh()
        totals.append(tree.total_cpu_s())
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return totals
        time.sleep(every_s)


def main() -> None:
    every_s, argv = float(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    null = os.open(os.devnull, os.O_RDWR)
    root = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
    procfs = ProcFs()
    tree = RunTree(procfs, root, os.getpid(), ProcessTable(procfs, SystemClock()))
    totals = look_until_no_child_is_left(tree, every_s)
    tree.refresh()
    report = {
        "rusage_s": reaped_by_us_s(),
        "total_s": tree.total_cpu_s(),
        "totals_s": totals,
        "root_s": tree.cpu_s_by_process().get(tree.root, 0.0),
        "members": [
            [tree.describe(process).command, tree.cpu_s_by_process().get(process, 0.0)] for process in tree.members()
        ],
        "still_living": len(tree.living()),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
