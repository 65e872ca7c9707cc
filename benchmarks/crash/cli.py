"""`python -m benchmarks.crash [--rounds 100] [--seed 1]`: exits with 1 if anything is wrong, and tells what."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.campaign.node import Wish, node
from benchmarks.campaign.runs import Runs
from benchmarks.campaign.scraper import Scraper
from benchmarks.crash.rounds import ENDS, Campaign, last_round, life_s

WISH = Wish(
    gpus=4,
    each=2,
    flags=(
        "--interval-s", "0.1", "--process-interval-s", "0.5", "--retention-s", "5", "--flush-interval-s", "1",
    ),
)  # fmt: skip
RUNNERS = 2
SHOWN = 40
"""So many of the things that are wrong are printed."""


def main(argv: Sequence[str]) -> int:
    """1 if anything was wrong, else 0."""
    parser = argparse.ArgumentParser(prog="benchmarks.crash")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        lines, wrong = crash(Path(name), options.rounds, options.seed)
    print("\n".join([*lines, f"wrong: {len(wrong)}", *wrong[:SHOWN]]))
    return 1 if wrong else 0


def crash(folder: Path, rounds: int, seed: int) -> tuple[list[str], list[str]]:
    """What was seen in so many rounds, and what was wrong."""
    dice, began_s = random.Random(seed), time.monotonic()
    with node(folder, WISH) as made:
        with Scraper(made.port) as scraper, Runs(folder / "run-0", made.environ, 1) as first:
            with Runs(folder / "run-1", made.environ, 2) as second:
                campaign = Campaign(made, scraper, dice)
                for number in range(rounds):
                    campaign.round(ENDS[number % len(ENDS)], life_s(dice))
                    if os.isatty(2):
                        print(f"\r{number + 1} rounds, {len(campaign.tally.wrong)} wrong ", end="", file=sys.stderr)
                last_round(campaign)
        tally, runs = campaign.tally, first.told + second.told
    wrong = [*tally.wrong, *scraper.wrong, *first.wrong, *second.wrong]
    lines = [
        f"{rounds} rounds in {time.monotonic() - began_s:.0f} s, seed {seed}: {dict(tally.ends)}",
        f"{tally.pages} pages, of {tally.rounds_seen} agents; {campaign.tracker.compared} counter values compared with "
        f"the page before; {scraper.refused} scrapes found nobody; slowest scrape {scraper.slowest_s:.2f} s",
        f"{tally.bridged} times a device was told not to have been watched; most that a page was behind: "
        f"{tally.lag_s:.1f} s",
        f"declared missing after power cuts: { {device: f'{lost / 1e6:.1f} J' for device, lost in tally.lost_uj.items()} }",
        f"runs: {dict(runs)}; journal {sum(f.stat().st_size for f in made.state.iterdir())} bytes",
    ]
    return lines, wrong
