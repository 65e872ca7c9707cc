"""A program that measures itself: program.py NAME. What it has found is one JSON object on standard output."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

import aipower

Found = dict[str, object]


def told(m: aipower.Measure) -> Found:
    return {**msgspec.to_builtins(m.record), "why": m.why}


def nested() -> list[Found]:
    """One block, one within it, and one in a thread that begins in one and ends in the other."""
    late: list[aipower.Measure] = []

    def beside() -> None:
        with aipower.measure("beside", sensors="nvml") as m:
            time.sleep(2.0)
        late.append(m)

    with aipower.measure("outer", sensors="nvml") as outer:
        time.sleep(0.7)
        with aipower.measure("inner", sensors="nvml") as inner:
            thread = threading.Thread(target=beside)
            thread.start()
            time.sleep(1.6)
        thread.join()
        time.sleep(0.5)
    return [told(m) for m in (outer, inner, *late)]


def forked() -> list[Found]:
    """A forked child leaves the block; the measurement is its parent's."""
    reading, writing = os.pipe()
    with aipower.measure("forked", sensors="fake") as m:
        child = os.fork()
    if child == 0:
        os.write(writing, json.dumps({"why": m.why, "energy_j": m.energy_j}).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return [told(m), json.loads(os.read(reading, 4096))]


def again() -> list[Found]:
    """A second measurement in a forked child, after the parent has had one."""
    with aipower.measure("parent", sensors="fake"):
        pass
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with aipower.measure("child", sensors="fake") as m:
            time.sleep(0.3)
        os.write(writing, json.dumps({"complete": m.record.complete, "pid": m.record.processes[0].pid}).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return [{**json.loads(os.read(reading, 4096)), "child": child}]


def phases() -> list[Found]:
    """Phases within and around the block."""
    with aipower.phase("around"), aipower.measure("phases", sensors="fake") as m:
        with aipower.phase("train"):
            time.sleep(0.6)
            aipower.log(tokens=500)
        aipower.metric(accuracy=0.5)
    aipower.log(tokens=7)
    return [told(m)]


CASES: dict[str, Callable[[], list[Found]]] = {
    "nested": nested, "forked": forked, "again": again, "phases": phases,
}  # fmt: skip

if __name__ == "__main__":
    Path("pid").write_text(f"{os.getpid()}\n")
    print(json.dumps(CASES[sys.argv[1]]()))
