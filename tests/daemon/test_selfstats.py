from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil

from aipower.daemon.sampling.pace import Schedule
from aipower.daemon.sampling.selfstats import RARELY_EACH, SelfStats
from aipower.seams import SystemClock
from fakes import FakeClock


def test_the_figures_are_those_of_this_process(tmp_path: Path) -> None:
    schedule = Schedule(1.0, FakeClock())
    process, stop = psutil.Process(), threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    with (tmp_path / "a").open("w"):
        stats = SelfStats().take(schedule, 3)
        assert stats.open_descriptors == process.num_fds() - 1  # psutil counts its own look
    assert stats.threads == process.num_threads()
    stop.set()
    thread.join()
    assert abs(stats.resident_bytes - process.memory_info().rss) < 20e6
    assert stats.context_switches > 0
    assert 0 < stats.cpu_s <= time.process_time() + 0.1
    assert stats.started_unix_s is not None
    assert abs(time.time() - stats.started_unix_s) < 60
    assert stats.folded_series == 3


def test_what_cannot_be_read_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "fd").mkdir()
    (tmp_path / "fd" / "0").touch()
    (tmp_path / "fd" / "1").touch()
    line = f"7 (a) b (c) S {' '.join(str(field) for field in range(4, 53))}\n"
    (tmp_path / "stat").write_text(line)
    stats, schedule = SelfStats(tmp_path), Schedule(1.0, SystemClock())
    before = stats.take(schedule, 0)
    assert (before.threads, before.resident_bytes, before.open_descriptors) == (20, 24 * os.sysconf("SC_PAGESIZE"), 1)
    (tmp_path / "stat").unlink()
    after = [stats.take(schedule, 0) for _ in range(RARELY_EACH)][-1]
    assert (after.threads, after.resident_bytes) == (before.threads, before.resident_bytes)
