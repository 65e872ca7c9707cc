"""`python -m benchmarks.crash [--rounds 100] [--seed 1]`: exits with 1 if anything is wrong, and tells what."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.campaign.node import Wish, node
from benchmarks.campaign.runs import Runs
from benchmarks.campaign.scraper import Scraper
from benchmarks.crash.rounds import ENDS, Campaign, last_round, life

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
    with ExitStack() as stack:
        made = stack.enter_context(node(folder, WISH))
        scraper = stack.enter_context(Scraper(made.port))
        runs = [stack.enter_context(Runs(folder / f"run-{n}", made.environ, seed + n)) for n in range(RUNNERS)]
        campaign = Campaign(made, scraper, dice)
        for number in range(rounds):
            campaign.round(ENDS[number % len(ENDS)], life(dice))
            if os.isatty(2):
                print(f"\r{number + 1} rounds, {len(campaign.tally.wrong)} wrong ", end="", file=sys.stderr)
        last_round(campaign)
    wrong = [*campaign.tally.wrong, *scraper.wrong, *(line for runner in runs for line in runner.wrong)]
    wall_s = time.monotonic() - began_s
    return [f"{rounds} rounds in {wall_s:.0f} s, seed {seed}", *report(campaign, runs)], wrong


def report(campaign: Campaign, runs: Sequence[Runs]) -> list[str]:
    """Lines for people."""
    tally, scraper = campaign.tally, campaign.scraper
    kills = tally.ends.total() - tally.ends["stop"]
    told = sum((runner.told for runner in runs), Counter[str]())
    lost = ", ".join(f"{device} {lost_uj / 1e6:.1f} J" for device, lost_uj in sorted(tally.lost_uj.items()))
    return [
        f"ends: {dict(tally.ends)}, with {kills} SIGKILLs",
        f"agents that lived long enough for a page with devices: {tally.rounds_seen}",
        f"pages: {tally.pages}, slowest {scraper.slowest_s:.2f} s; {scraper.refused} scrapes found nobody",
        f"counter values compared with the page before: {campaign.tracker.compared}",
        f"devices read again and told so: {tally.bridged}; most that a page was behind: {tally.lag_s:.1f} s",
        f"declared missing: {lost or 'nothing'}",
        f"runs: {dict(told)}",
    ]
