"""The table of processes asked by several threads at once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from aipower.processes.procfs import ProcFs, StatRow
from aipower.processes.shared import SharedProcessTable
from aipower.processes.table import ProcessTable
from processes.proctree import ProcTree, StillClock

ASKS_OTHERS = {"resolve"}
"""It does nothing but call `resolve_at`."""


class CrowdedProcFs(ProcFs):
    """Counts how many threads are in `stat` at once."""

    __slots__ = ("inside", "most")

    def __init__(self, root: Path) -> None:
        super().__init__(root, 100)
        self.inside = self.most = 0

    def stat(self, pid: int) -> StatRow | None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.0005)
        self.inside -= 1
        return super().stat(pid)


def test_one_thread_at_a_time(tmp_path: Path) -> None:
    tree, clock = ProcTree(tmp_path), StillClock()
    tree.put(5, comm=b"train")
    procfs = CrowdedProcFs(tmp_path)
    table = SharedProcessTable(procfs, clock)
    process = table.resolve(5)
    assert process

    def ask() -> None:
        for round_ in range(40):
            row = procfs_row(tmp_path)
            table.observe([row, row] if round_ % 2 else [])
            assert table.resolve_gpus([(5, None)])[0] in {process, None}
            table.alive(process)
            assert table.learn(row) == process
            assert process in set(table.known())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert procfs.most == 1
    assert table.describe(process).comm == "train"


def procfs_row(root: Path) -> StatRow:
    row = ProcFs(root, 100).stat(5)
    assert row
    return row


def test_no_method_of_the_table_is_left_out() -> None:
    public = {name for name, value in vars(ProcessTable).items() if callable(value) and not name.startswith("_")}
    assert public - ASKS_OTHERS <= vars(SharedProcessTable).keys()
