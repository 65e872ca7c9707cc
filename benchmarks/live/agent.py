"""An agent on a simulated machine, in a process of its own: the real sampler, accounts, history and HTTP service.

Run as `python -m benchmarks.live.agent WORLD PORT [--past 360] [--page off] --threads FILE`.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from aipower.books.ledger import Ledger
from aipower.daemon.agent import serve, set_up_log, site_maker
from aipower.daemon.finding.finder import Finder
from aipower.daemon.sampling.pace import Pace, Schedule
from aipower.daemon.sampling.sampler import Sampler
from aipower.daemon.sampling.tick import NoErrands, Tick
from aipower.daemon.serving.http import Address
from aipower.daemon.sites.chronicle import Chronicle
from aipower.daemon.work import End, Parts
from aipower.history.book import HistoryBook
from aipower.meter import Meter
from aipower.settings.config import AgentConfig
from benchmarks.live.world import BOOT, SHAPES, Shape, ShiftedClock, build

MAX_GAP_S = 60.0
MORE_ACCOUNTS = 100
SAMPLER = "aipower-sampler"


class Machine:
    """What the agent measures with; it has `past_s` behind it, told tick by tick, when it begins."""

    def __init__(self, shape: Shape, config: AgentConfig, past_s: float, history: HistoryBook | None) -> None:
        self.shape = shape
        self.clock = ShiftedClock(past_s)
        self._history = history
        found, directory = build(shape, self.clock)
        self._ledger = Ledger(directory, config.max_processes, boot=BOOT, since_unix_s=self.clock.unix_s())
        self._meter = Meter(found, self._ledger, self.clock, MAX_GAP_S, jobs=True)
        self._pace = Pace(config.interval_s, config.process_interval_s)
        if history is not None:
            history.describe_with(directory.describe)
            self._meter.tell(Chronicle(history, {}))

    def live_through(self) -> None:
        """The past, as fast as it can be told."""
        schedule = Schedule(self._pace.interval_s, self.clock)
        # The sleep of the real machine is no sleep of this one.
        tick = Tick(
            self._meter, self._ledger, self._pace, self.clock, NoErrands(), recorder=self._history, asleep_s=float
        )
        while self.clock.lag_s > 0:
            schedule.begin()
            tick.run(schedule, late=lambda: False)
            schedule.end()
            self.clock.lag_s -= self.shape.interval_s

    def parts(self, end: Callable[[End], None]) -> Parts:
        """As the agent wires them."""
        sampler = Sampler(self._meter, self._ledger, self._pace, self.clock, lambda: end(1), recorder=self._history)
        return Parts(sampler, Finder(self._meter, sampler, (), self.clock))


def numbers() -> dict[str, int | None]:
    """The kernel's numbers of our threads, by name."""
    return {thread.name: thread.native_id for thread in threading.enumerate()}


def tell_threads(path: Path) -> None:
    """Write to `path` which thread of the kernel is which, once the sampler runs."""

    def tell() -> None:
        # A thread that is just beginning has no number yet.
        while not (known := numbers()).get(SAMPLER):
            time.sleep(0.05)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(known))
        part.rename(path)

    threading.Thread(target=tell, daemon=True).start()


def main(argv: list[str]) -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live.agent")
    parser.add_argument("world", choices=SHAPES)
    parser.add_argument("port", type=int)
    parser.add_argument("--past", type=float, default=360.0, metavar="SECONDS", help="that it has behind it")
    parser.add_argument("--page", choices=("on", "off"), default="on")
    parser.add_argument("--threads", type=Path, required=True, metavar="FILE", help="where to tell its threads")
    arguments = parser.parse_args(argv)
    shape = SHAPES[arguments.world]
    config = replace(
        AgentConfig(),
        interval_s=shape.interval_s,
        max_processes=shape.accounts + MORE_ACCOUNTS,
        live_page=arguments.page,
        run_records="none",
    )
    set_up_log(config.log_level, config.log_format)
    history = HistoryBook(config.history_s) if arguments.page == "on" else None
    machine = Machine(shape, config, arguments.past, history)
    machine.live_through()
    tell_threads(arguments.threads)
    address = Address("127.0.0.1", arguments.port)
    return serve(address, machine.parts, machine.clock, make_sites=site_maker(config, history, machine.clock))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
