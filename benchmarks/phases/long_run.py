"""What phases cost over a long run: memory and time of the story, in accelerated time.

`python -m benchmarks.phases.long_run --hours 4 --gpus 8 --tellers 1`: steps of 0.1 s, each with three phases in it,
windows of 1 s that are attributed an hour later, as in a run.
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Iterator, Sequence

from aipower.model import Attribution, Device, EnergyDelta, ProcessId
from aipower.record.phases.book import PhaseBook, Sensed
from aipower.record.phases.marks import Marks
from aipower.record.runmeter import KEEP_WINDOWS

STEP_S, PIECE_S = 0.1, 0.1
PARTS = (("data", 0.02), ("forward", 0.03), ("backward", 0.04))
SHOWN_S = 600


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phases.long_run", description=__doc__)
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--tellers", type=int, default=1)
    parser.add_argument("--keep", type=int, default=KEEP_WINDOWS, help="windows that wait (default: as in a run)")
    parser.add_argument("--traced", action="store_true", help="measure memory: takes several times as long")
    asked = parser.parse_args(arguments)
    if asked.traced:
        tracemalloc.start()
    began_s, told = time.process_time(), 0
    for second, count in enumerate(_run(asked.gpus, asked.tellers, round(asked.hours * 3600), asked.keep), 1):
        told += count
        if second % SHOWN_S == 0:
            used_s, mib = time.process_time() - began_s, tracemalloc.get_traced_memory()[0] / 2**20
            memory = f"{mib:6.1f} MiB, " if asked.traced else ""
            print(
                f"{second / 3600:5.2f} h: {memory}{used_s / second * 100:.2f} % of a core, {told} messages", flush=True
            )
    return 0


def _run(gpus: int, tellers: int, seconds: int, keep: int = KEEP_WINDOWS) -> Iterator[int]:
    """The number of messages of each second."""
    marks = Marks()
    marks.start(0.0)
    book = PhaseBook(marks)
    devices = [Device(f"GPU-{number}", "gpu", "simulated", str(number)) for number in range(gpus)]
    waiting: deque[tuple[EnergyDelta, int]] = deque()
    for pid in range(1, tellers + 1):
        marks.feed(b"B 0 %d 1 0 epoch\n" % pid)
    for second in range(seconds):
        lines = [line for pid in range(1, tellers + 1) for line in _told(pid, second)]
        marks.feed(b"".join(lines))
        for number, device in enumerate(devices):
            pieces = [
                EnergyDelta(device, second + k * PIECE_S, second + (k + 1) * PIECE_S, 25_000_000) for k in range(10)
            ]
            window = EnergyDelta(device, second, second + 1.0, sum(piece.energy_uj for piece in pieces))
            book.taken(window, pieces, Sensed(0.003, workers=frozenset({number % tellers + 1})))
            waiting.append((window, number % tellers + 1))
        while len(waiting) > keep * gpus:
            _post(book, *waiting.popleft())
        yield len(lines)


def _told(pid: int, second: int) -> Iterator[bytes]:
    for step in range(round(1 / STEP_S)):
        at_s, id_ = second + step * STEP_S + pid * 0.0007, 10 * (second * 10 + step) + 10
        yield b"B %d %d %d 1 step\n" % (at_s * 1e9, pid, id_)
        for number, (name, span_s) in enumerate(PARTS, 1):
            yield b"B %d %d %d %d %s\n" % (at_s * 1e9, pid, id_ + number, id_, name.encode())
            at_s += span_s
            yield b"E %d %d %d\n" % (at_s * 1e9, pid, id_ + number)
        yield b"E %d %d %d\n" % (at_s * 1e9, pid, id_)


def _post(book: PhaseBook, window: EnergyDelta, teller: int) -> None:
    own_uj, idle_uj = window.energy_uj - 50_000_000, 50_000_000
    who = ProcessId("simulated", teller, 1)
    book.posted(Attribution(window, idle_uj, {}, {who: own_uj}, 0), {teller: own_uj})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
