"""Runs one experiment in a process that has the fake driver: its arguments in JSON come as the only word."""

from __future__ import annotations

import json
import os
import sys

from benchmarks.gpu.card import open_card
from benchmarks.gpu.cli import attempt
from benchmarks.gpu.registry import chosen
from benchmarks.gpu.report import about, as_json
from benchmarks.gpu.seams import Bench, LoadSpec
from gpu_experiments.scripted import FileClock, ScriptedLoads


def main() -> None:
    asked = json.loads(sys.argv[1])
    clock = FileClock(os.open(asked["clock"], os.O_WRONLY), asked["unix_zero_s"])
    loads = ScriptedLoads(clock, [LoadSpec(**spec) for spec in asked["specs"]], asked["block_s"], asked["missing"])
    with open_card(0) as card:
        bench = Bench(card, clock, loads, asked["scale"])
        print(as_json(about(card, clock.unix_s()), bench.scale, [attempt(chosen([asked["name"]])[0], bench)]))


if __name__ == "__main__":
    main()
