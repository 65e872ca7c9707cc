"""A load on the GPU, in a process of its own: `python -m benchmarks.gpu.load --spec JSON`. Needs torch.

It says `{"ready": true}` when it is at work, takes new specs as lines of standard input, ends with that input (or
after --seconds) and says then what it did. Its on-times are laid on the clock that all processes share.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from benchmarks.gpu.seams import Clock, LoadReport, LoadSpec, SystemClock, Work

BATCH_S = 0.001
PARTS = 8
"""An on-time has at least so many batches, so that it ends when it should."""
IN_FLIGHT = 2
"""Batches that wait in the GPU's queue: with one there would be gaps, with many the end would come late."""
NAP_S = 0.01
"""At most so long until a new spec is obeyed."""
SPIN_S = 0.0015
"""Sleeps end late by about this; the rest is waited for awake."""


class Engine(Protocol):
    """What can do units of work and tell when they are done."""

    @property
    def version(self) -> str:
        """Of what does the work."""
        ...

    def unit_s(self, work: Work) -> float:
        """Seconds that one unit takes."""
        ...

    def launch(self, work: Work, units: int) -> Any:  # noqa: ANN401 - a token of the engine's own
        """Begin `units`, and return what `wait` wants."""
        ...

    def wait(self, token: Any) -> float:  # noqa: ANN401 - as launch
        """Return when they are done, with the seconds that they took."""
        ...


@dataclass(slots=True)
class Control:
    """What the load is to do now; another thread changes it."""

    spec: LoadSpec
    stopped: bool = False
    end_s: float = float("inf")


@dataclass(slots=True)
class Worker:
    """Keeps an engine busy, and keeps the books."""

    engine: Engine
    clock: Clock
    products: int = 0
    busy_s: float = 0.0
    late_s: float = 0.0
    queue: deque[tuple[int, Any]] = field(default_factory=deque)

    def work_until(self, deadline_s: float, spec: LoadSpec) -> None:
        """Launch batches that end before `deadline_s`; the last of them may still be at work."""
        unit_s = self.engine.unit_s(spec.work)
        on_s = spec.duty * spec.period_s
        units = max(1, round(min(BATCH_S, on_s / PARTS) / unit_s))
        while self.clock.now_s() + (len(self.queue) + 1) * units * unit_s <= deadline_s:
            self.queue.append((units, self.engine.launch(spec.work, units)))
            self.drain(IN_FLIGHT - 1)

    def drain(self, left: int = 0) -> None:
        """Wait until at most `left` batches are under way."""
        while len(self.queue) > left:
            units, token = self.queue.popleft()
            self.busy_s += self.engine.wait(token)
            self.products += units


def window(spec: LoadSpec, now_s: float) -> tuple[float, float]:
    """Begin and end of the on-time that `now_s` lies in, or else of the next one."""
    periods = (now_s - spec.shift_s) // spec.period_s
    on_s = spec.shift_s + periods * spec.period_s
    if now_s >= on_s + spec.duty * spec.period_s:
        on_s += spec.period_s
    return on_s, on_s + spec.duty * spec.period_s


def drive(worker: Worker, control: Control) -> None:
    """Do what `control` says until it says stop."""
    clock = worker.clock
    while not control.stopped and clock.now_s() < control.end_s:
        spec, now_s = control.spec, clock.now_s()
        on_s, off_s = window(spec, now_s)
        if spec.work == "none":
            worker.drain()
            clock.sleep(NAP_S)
        elif on_s - now_s > NAP_S:
            clock.sleep(NAP_S - SPIN_S)
        else:
            one_on_time(worker, spec, on_s, off_s)
    worker.drain()


def one_on_time(worker: Worker, spec: LoadSpec, on_s: float, off_s: float) -> None:
    """Work from `on_s` to `off_s`, or for a while of it where it is long."""
    clock = worker.clock
    wait_until(clock, on_s)
    began_s = clock.now_s()
    slice_s = max(NAP_S, 3 * worker.engine.unit_s(spec.work))
    last = off_s - began_s <= 2 * slice_s
    worker.work_until(off_s if last else began_s + slice_s, spec)
    if last and spec.duty < 1:
        worker.drain()
        worker.late_s = max(worker.late_s, clock.now_s() - off_s)
    if last:
        wait_until(clock, off_s)


def wait_until(clock: Clock, at_s: float) -> None:
    """Return at `at_s`, exactly."""
    left_s = at_s - clock.now_s()
    if left_s > SPIN_S:
        clock.sleep(left_s - SPIN_S)
    while clock.now_s() < at_s:
        pass


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.load", description="A load on the GPU.")
    parser.add_argument("--spec", default="{}", help="JSON of LoadSpec")
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so long; 0: with standard input")
    parser.add_argument("--start-at", type=float, default=0.0, help="begin at this time of CLOCK_MONOTONIC")
    return parser.parse_args(argv)


def say(**words: object) -> None:
    """One line for the parent."""
    print(json.dumps(words), flush=True)


def listen(control: Control) -> None:
    """Obey standard input until it ends."""
    for line in sys.stdin:
        control.spec = LoadSpec(**json.loads(line))
    control.stopped = True


def torch_engine(spec: LoadSpec) -> Engine:
    """The GPU.

    Raises:
        ImportError: There is no torch.
        RuntimeError: There is no GPU, or not enough memory.
    """
    from benchmarks.gpu.torch_engine import TorchEngine  # noqa: PLC0415 - torch only where load is needed

    return TorchEngine(spec)


def main(make_engine: Callable[[LoadSpec], Engine] = torch_engine) -> int:
    """Serve as a load; 3 where torch or the GPU is missing."""
    options = parse()
    clock = SystemClock()
    control = Control(LoadSpec(**json.loads(options.spec)))
    try:
        engine = make_engine(control.spec)
    except (ImportError, RuntimeError) as error:
        say(error=str(error) or type(error).__name__)
        return 3
    say(ready=True, torch=engine.version)
    wait_until(clock, options.start_at)
    began_s = clock.now_s()
    if options.seconds > 0:
        control.end_s = began_s + options.seconds
    else:
        threading.Thread(target=listen, args=(control,), daemon=True).start()
    worker = Worker(engine, clock)
    drive(worker, control)
    wall_s = clock.now_s() - began_s
    say(**asdict(LoadReport(worker.products, worker.busy_s, wall_s, worker.late_s)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
