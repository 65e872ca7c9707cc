"""Sends wrong requests to the agent's pages: never a hang, a traceback or memory that stays.

    python benchmarks/fuzz_http.py [--inputs 100000] [--seed 1]

The service runs in a process of its own. It ends with 1 at the first input that breaks it, and prints that.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from daemon.crowd import child
from daemon.http_fuzz import answer, request, statuses

PAGE_BYTES = 50_000
GOOD = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder, child(Path(folder), PAGE_BYTES) as service:

        def check() -> None:
            assert answer(service.port, GOOD).startswith(b"HTTP/1.1 200"), "the agent answers no more"

        check()
        before = service.figures()
        began_s = time.monotonic()
        found = statuses(service.port, (request(dice) for _ in range(options.inputs)), 1000, check)
        wall_s = time.monotonic() - began_s
        service.until_freed(before[0])
        after = service.figures()
        log = service.log.read_text()
    print(f"{options.inputs} inputs in {wall_s:.0f} s, {options.inputs / wall_s:.0f} per second, seed {options.seed}")
    print("answers: " + ", ".join(f"{status} {count}" for status, count in sorted(found.items())))
    print(f"resident memory {before[1] / 1e6:.1f} MB before, {after[1] / 1e6:.1f} MB after; {after[0]} descriptors")
    print(f"log: {len(log.splitlines())} lines, {log.count('Traceback')} tracebacks")
    return int("Traceback" in log or len(log.splitlines()) > 10)


if __name__ == "__main__":
    sys.exit(main())
