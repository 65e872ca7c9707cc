"""An agent with very many series: `python -m benchmarks.scraping.agent PORT ACCOUNTS`.

The real sampler, accounts and HTTP service on simulated sensors, as that many processes would not fit a test machine.
"""

from __future__ import annotations

import sys

from aipower.daemon.agent import serve, site_maker
from aipower.daemon.serving.http import Address
from aipower.settings.config import AgentConfig
from benchmarks.live.agent import Machine
from benchmarks.live.world import Shape

PAST_S = 25.0
"""By then each process has had its turn on the processors."""


def shape(accounts: int) -> Shape:
    """8 GPUs and two processors with memories."""
    return Shape(f"{accounts} accounts", 8, 2, 64, accounts)


def main(port: int, accounts: int) -> int:
    """Serve until SIGTERM."""
    config = AgentConfig(max_processes=accounts + 100, max_jobs=accounts, live_page="off", run_records="none")
    machine = Machine(shape(accounts), config, PAST_S, None)
    machine.live_through()
    make = site_maker(config, None, machine.clock)
    return serve(Address("127.0.0.1", port), machine.parts, machine.clock, make_sites=make)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
