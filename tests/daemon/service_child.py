"""A service in a process of its own, whose memory and descriptors the tests can see.

    python service_child.py PAGE_BYTES [WEB_CONFIG]

It prints its port; then, for each line of its input, its descriptors and resident bytes; it ends with its input.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from aipower.daemon.health import Health
from aipower.daemon.serving.http import make_app
from aipower.daemon.serving.server import HttpService, Limits
from aipower.model import Snapshot

LIMITS = Limits(keep_alive_s=2, request_s=4, write_s=4)


@dataclass(frozen=True)
class Exporter:
    """A page as long as that of a large node."""

    size: int
    path: str = "/metrics"

    def render(self, snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
        """Lines that compress like those of metrics."""
        line = f'some_metric_total{{device="GPU-{accept}",pid="%d"}} {snapshot.at_unix_s}\n'
        return "".join(line % number for number in range(self.size // len(line))).encode(), "text/plain"


def main() -> None:
    logging.basicConfig(level=logging.DEBUG)
    web_config = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    snapshot, process = Snapshot(1.5, "0"), psutil.Process()
    app = make_app(lambda: snapshot, [Exporter(int(sys.argv[1]))], lambda: Health(ok=True))
    with HttpService(app, "127.0.0.1", 0, LIMITS, web_config) as service:
        print(service.address.port, flush=True)
        for _ in sys.stdin:
            print(len(list(Path("/proc/self/fd").iterdir())), process.memory_info().rss, flush=True)


if __name__ == "__main__":
    main()
