"""What the history costs: bytes after its span, microseconds of a tick and of a window, milliseconds of charts.

    python benchmarks/history/cost.py DEVICES [SECONDS]

DEVICES includes one processor with 8 busy processes; each GPU has one. Ticks come 10 times a second, windows of GPUs
each second, those of the processor every 5 s. All is CPU time of this thread; the last figure tells of the machine.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from aipower.calibration.default import default_calibration
from aipower.history.book import HistoryBook
from aipower.model import Attribution, Device, EnergyDelta, PartError, ProcessId
from aipower.site.history import By

BOOT = "a5f3c5a4-0d5c-4a7a-9d0f-3f1d3a1b2c3d"
REPEATS = 20


def window(device: Device, end_s: float, span_s: float, processes: list[ProcessId]) -> Attribution:
    active = {process: 30_000_000 + int(end_s) % 7 * 1_000_000 for process in processes}
    errors = {process: PartError(1e9, 1e4) for process in processes}
    energy_uj = 80_000_000 + sum(active.values())
    return Attribution(
        EnergyDelta(device, end_s - span_s, end_s, energy_uj), 75_000_000, {}, active, 5_000_000, errors
    )


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def median_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        begin_s = time.thread_time()
        work()
        taken.append(time.thread_time() - begin_s)
    return round(sorted(taken)[REPEATS // 2] * 1e3, 3)


def fill(book: HistoryBook, gpus: list[Device], cpu: Device, seconds: int) -> dict[str, float]:
    processes = [ProcessId(BOOT, pid, 7) for pid in range(len(gpus) + 8)]
    powers_w: dict[str, float | None] = {device.id: 300.0 for device in (*gpus, cpu)}
    calibrations = default_calibration("gpu"), default_calibration("cpu")
    tick_s = post_s = 0.0
    posts = 0
    for second in range(1, seconds + 1):
        begin_s = time.thread_time()
        for tick in range(10):
            book.tick(second + tick / 10, powers_w)
        tick_s += time.thread_time() - begin_s
        made = [window(gpu, float(second), 1.0, [processes[number]]) for number, gpu in enumerate(gpus)]
        last = [window(cpu, float(second), 5.0, processes[-8:])] if second % 5 == 0 else []
        begin_s = time.thread_time()
        for attribution in made:
            book.post(attribution, calibrations[0])
        for attribution in last:
            book.post(attribution, calibrations[1])
        post_s += time.thread_time() - begin_s
        posts += len(made) + len(last)
    return {"tick_us": round(tick_s / seconds * 1e5, 2), "post_us": round(post_s / posts * 1e6, 1)}


def main(devices: int, seconds: int) -> None:
    gpus = [Device(f"GPU-{number}", "gpu", "H100", str(number)) for number in range(devices - 1)]
    cpu = Device("package-0", "cpu", "Xeon", "0")
    names = [device.id for device in (*gpus, cpu)]
    book, before_bytes = HistoryBook(), resident_bytes()
    figures: dict[str, object] = {"devices": devices, "seconds": seconds, **fill(book, gpus, cpu, seconds)}
    figures["resident_bytes"] = resident_bytes() - before_bytes
    charts: list[tuple[By, int, float]] = [
        ("component", 300, 1.0), ("component", 21600, 30.0), ("component", 2, 1.0),
        ("process", 300, 1.0), ("process", 21600, 30.0), ("process", 2, 1.0),
    ]  # fmt: skip
    for by, range_s, step_s in charts:

        def chart(by: By = by, range_s: int = range_s, step_s: float = step_s) -> object:
            return book.chart(names, by, float(seconds - range_s), float(seconds), step_s)

        figures[f"{by}_{range_s}s_step_{step_s:g}s_ms"] = median_ms(chart)
    figures["ticks_2s_ms"] = median_ms(lambda: book.ticks(seconds - 2.0, names))
    figures["count_to_a_million_ms"] = median_ms(lambda: sum(range(1_000_000)))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 22_000)
