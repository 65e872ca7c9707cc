"""What the history costs: the same hours with it and without, each in a process of its own.

Run as `python -m benchmarks.live.past WORLD SECONDS on|off`: prints the CPU seconds and the bytes of one of them.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

from aipower.history.book import HistoryBook
from aipower.settings.config import AgentConfig
from benchmarks.live.agent import Machine
from benchmarks.live.gauge import resident_bytes
from benchmarks.live.world import SHAPES


def lived(world: str, past_s: float, history: str) -> tuple[float, int]:
    """CPU seconds of the past, and bytes after it, in a fresh process."""
    argv = [sys.executable, "-m", "benchmarks.live.past", world, str(past_s), history]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    cpu_s, size = json.loads(told)
    return float(cpu_s), int(size)


def main(argv: list[str]) -> int:
    """Live through the past and tell."""
    world, past_s, history = argv
    shape = SHAPES[world]
    config = replace(AgentConfig(), interval_s=shape.interval_s, max_processes=shape.accounts)
    machine = Machine(shape, config, float(past_s), HistoryBook(config.history_s) if history == "on" else None)
    began_s = time.process_time()
    machine.live_through()
    used_s = time.process_time() - began_s
    gc.collect()
    print(json.dumps([used_s, resident_bytes(os.getpid())]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
