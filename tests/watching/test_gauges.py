"""What the benchmark counts is what a program did."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from benchmarks.watching import compiled
from benchmarks.watching.crowd import Work, crowd, light_work
from benchmarks.watching.gauge import family, memory, usage
from benchmarks.watching.node import PROC_COUNTS, PROC_TALLY_VARIABLE
from fake_driver.cost import Tally

READER = textwrap.dedent("""
    import os
    for _ in range(20):
        fd = os.open("/proc/self/stat", os.O_RDONLY)
        os.read(fd, 100)
        os.pread(fd, 100, 0)
        os.close(fd)
        other = os.open("/dev/null", os.O_RDONLY)
        os.read(other, 100)
        os.close(other)
        os.stat("/proc/1")
    os.listdir("/proc")
""")
PARENT = textwrap.dedent("""
    import subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    while time.process_time() < 0.3:
        pass
    print("ready", flush=True)
    time.sleep(60)
""")


def test_calls_on_proc_are_counted_and_no_others(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "tally", PROC_COUNTS)
    preload = compiled.preload("proccalls", tmp_path)
    variables = {**os.environ, "LD_PRELOAD": str(preload), PROC_TALLY_VARIABLE: str(tally.path)}

    def counted(program: str) -> dict[str, int]:
        before = tally.read()
        subprocess.run([sys.executable, "-I", "-c", program], env=variables, check=True)
        return {name: count - before[name] for name, count in tally.read().items()}

    assert counted(READER) == dict.fromkeys(PROC_COUNTS, 0)
    tally.switch(on=True)
    bare = counted("import os")
    told = counted(READER)
    assert {name: told[name] - bare[name] for name in PROC_COUNTS} == {"opens": 21, "reads": 41, "looks": 20}


def test_the_family_of_a_program_is_gauged_as_one() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        try:
            assert parent.stdout.readline() == b"ready\n"
            members = family(parent.pid)
            used, held = usage(parent.pid), memory(parent.pid)
        finally:
            for pid in reversed(family(parent.pid)):
                os.kill(pid, 9)
    assert len(members) == held.processes == 2
    assert used.cpu_s >= 0.3
    assert used.switches_since(used) == 0
    assert set(members) <= set(used.switches)
    assert held.pss_mb <= held.rss_mb


def runs(pid: int) -> bool:
    """Whether it is one of the crowd, and has not been killed yet."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().split()
    except OSError:
        return False
    return words[1] == "(crowd)" and words[2] != "Z"


def test_a_crowd_has_its_size_and_leaves_with_its_block(tmp_path: Path) -> None:
    program = compiled.program("crowd", tmp_path)
    with crowd(program, 30, Work(2, 10)) as pids:
        assert len(set(pids)) == 30
        assert all(runs(pid) for pid in pids)
    until_s = time.monotonic() + 10
    while any(runs(pid) for pid in pids):
        assert time.monotonic() < until_s
        time.sleep(0.01)


def test_the_work_of_a_crowd_does_not_depend_on_its_size() -> None:
    together = [work.busy * work.burn_us / work.period_us for work in map(light_work, (100, 500, 5000))]
    assert together == pytest.approx([0.1, 0.1, 0.1])
