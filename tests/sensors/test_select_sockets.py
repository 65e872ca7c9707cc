"""A package and its memory are told of the work on their own socket."""

from __future__ import annotations

from pathlib import Path

from aipower.processes.machine import MachineCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.sensors.select import POWERCAP_VARIABLE, Machine, Selection, discover
from processes.proctree import ProcTree, StillClock
from processes.systree import put_cpus
from sensors.powercap import close_all, put_zone


def test_package_and_dram_share_the_view_of_their_socket(tmp_path: Path) -> None:
    powercap = tmp_path / "powercap"
    for n in range(2):
        put_zone(powercap / f"intel-rapl:{n}", f"package-{n}")
        put_zone(powercap / f"intel-rapl:{n}" / f"intel-rapl:{n}:0", "dram")
    put_cpus(tmp_path / "cpu", {0: (0, 0), 1: (1, 0)})
    proc, clock = ProcTree(tmp_path / "proc"), StillClock()
    table = ProcessTable(procfs := ProcFs(proc.root), clock)
    cpu = MachineCpuUsage(procfs, table, clock, cpus=tmp_path / "cpu", cgroups=tmp_path / "none")
    machine = Machine(table, clock, {POWERCAP_VARIABLE: str(powercap)})
    found = discover(Selection(real=("rapl",)), machine, cpu).sensors
    close_all(found)
    assert found.usage == {
        "intel-rapl:0": cpu.socket("0"),
        "intel-rapl:0:0": cpu.socket("0"),
        "intel-rapl:1": cpu.socket("1"),
        "intel-rapl:1:0": cpu.socket("1"),
    }
    assert cpu.socket("0") is not cpu.socket("1")
