"""The experiments that start aipower, shortened, in a process that has the fake driver."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.gpu import pair, watching
from benchmarks.gpu.card import open_card
from benchmarks.gpu.loads import ChildLoads
from benchmarks.gpu.seams import Bench, SystemClock

SLEEPY = (sys.executable, str(Path(__file__).with_name("sleepy_load.py")))


def main() -> None:
    with open_card(0) as card, TemporaryDirectory() as folder:
        bench = Bench(card, SystemClock(), ChildLoads("", SLEEPY, needs=""), 0.05)
        if sys.argv[1] == "watching":
            print(json.dumps(watching.collect(bench, "AB")))
        else:
            print(json.dumps(asdict(pair.collect(bench, ["A"], Path(folder), 2.0)["A"])))


if __name__ == "__main__":
    main()
