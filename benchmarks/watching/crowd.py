"""Real processes that a node has: most asleep, some with a little to do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BUSY_SHARE = 0.05
"""The part of them that works at all."""
BURNED = 0.1
"""What those use together, in CPU cores."""
PERIOD_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Work:
    """What the busy ones of a crowd do in each period."""

    busy: int
    burn_us: int
    period_us: int = PERIOD_US


def light_work(count: int) -> Work:
    """A twentieth of `count` processes use a tenth of a core together, whatever `count` is."""
    busy = max(1, round(BUSY_SHARE * count))
    return Work(busy, max(1, round(BURNED * PERIOD_US / busy)))


@contextmanager
def crowd(program: Path, count: int, work: Work) -> Iterator[list[int]]:
    """The pids of `count` processes; the busy ones come first.

    Raises:
        RuntimeError: The system refused so many.
    """
    argv = [str(program), *map(str, (count, work.busy, work.burn_us, work.period_us))]
    leader = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert leader.stdin is not None
    assert leader.stdout is not None
    try:
        pids = [int(line) for line in leader.stdout]
        if len(pids) != count:
            raise RuntimeError(f"no room for {count} processes: see ulimit -u and /proc/sys/kernel/pid_max")
        yield pids
    finally:
        leader.stdin.close()
        leader.stdout.close()
        leader.wait()
