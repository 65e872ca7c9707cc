"""`python -m benchmarks.fuzz http|socket|config|journal [--inputs 100000] [--seed 1]`.

Each starts what it needs itself and ends it. It exits with 1 if anything was found, and prints the inputs that did it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

from benchmarks.fuzz import counters, pages, settings, socket_protocol
from benchmarks.fuzz.outcome import Outcome

FUZZERS: Mapping[str, Callable[[int, int], Outcome]] = {
    "http": pages.fuzz,
    "socket": socket_protocol.fuzz,
    "config": settings.fuzz,
    "journal": counters.fuzz,
}


def main(argv: Sequence[str]) -> int:
    """1 if anything was found, else 0."""
    parser = argparse.ArgumentParser(prog="benchmarks.fuzz", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("what", choices=sorted(FUZZERS))
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    outcome = FUZZERS[options.what](options.inputs, options.seed)
    print(f"{options.what}, seed {options.seed}: {outcome.report()}")
    return 1 if outcome.findings else 0
