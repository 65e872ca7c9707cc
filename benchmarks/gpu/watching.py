"""13: what watching costs the GPU: its energy with and without the agent, in turns."""

from __future__ import annotations

import math
import socket
import statistics
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass

from benchmarks.gpu.power import between_w, next_edge
from benchmarks.gpu.product import agent, require_aipower
from benchmarks.gpu.seams import Bench, Experiment, Outcome

BLOCK_S = 25.0
SETTLE_S = 5.0
ORDER = "ABBAABBAABBA"
"""A without the agent, B with it; in this order a steady drift of the card falls on both alike."""
T_95 = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228}
"""Student's t for 95 %, two-sided, by degrees of freedom."""
WIDEST = 12.706
"""For one degree of freedom."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the agent adds to the GPU's power, in watts, with its 95 % interval."""

    extra_w: float
    low_w: float
    high_w: float
    without_w: float
    blocks: int

    @property
    def j_per_minute(self) -> float:
        """The same in joules a minute."""
        return 60 * self.extra_w


def free_address() -> str:
    """A local address on which nobody listens at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def collect(bench: Bench, order: str = ORDER) -> list[tuple[str, float]]:
    """The mean power of each block in watts, with its letter.

    Raises:
        SkipError: aipower cannot run here, or the counter does not move.
    """
    require_aipower()
    uuid = bench.card.text("nvmlDeviceGetUUID")
    found = []
    for letter in order:
        watcher: AbstractContextManager[object] = nullcontext() if letter == "A" else agent(free_address(), uuid)
        with watcher:
            bench.clock.sleep(SETTLE_S)
            first = next_edge(bench)
            bench.clock.sleep(bench.seconds(BLOCK_S))
            found.append((letter, between_w(first, next_edge(bench))))
    return found


def analyse(blocks: Sequence[tuple[str, float]]) -> Cost:
    """The difference of the means of neighbouring pairs, with Student's interval.

    Raises:
        ValueError: There are fewer than two pairs, or one is not of an A and a B.
    """
    pairs = [dict(blocks[number : number + 2]) for number in range(0, len(blocks) - 1, 2)]
    if len(pairs) < 2 or any(set(pair) != {"A", "B"} for pair in pairs):
        raise ValueError("wanted are two pairs or more, each of an A and a B")
    extra = [pair["B"] - pair["A"] for pair in pairs]
    mean_w = statistics.fmean(extra)
    half_w = T_95.get(len(pairs) - 1, WIDEST) * statistics.stdev(extra) / math.sqrt(len(extra))
    without_w = statistics.fmean(pair["A"] for pair in pairs)
    return Cost(mean_w, mean_w - half_w, mean_w + half_w, without_w, len(blocks))


def run(bench: Bench) -> Outcome:
    """The whole experiment, on the card as it is."""
    blocks = collect(bench)
    found = analyse(blocks)
    figure = f"{found.extra_w:.3f} W (95 %: {found.low_w:.3f} to {found.high_w:.3f}), {found.j_per_minute:.1f} J/min"
    return Outcome(
        {"blocks": blocks, **asdict(found), "j_per_minute": found.j_per_minute},
        [("without the agent", f"{found.without_w:.2f} W"), ("the agent adds", figure)],
    )


EXPERIMENT = Experiment("watching", "13 Extra GPU energy of watching", run, 370)
