"""In which order arms come: by turns, in a random order in each round, so that a busy minute hits all of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

Result = TypeVar("Result")


def rounds(repeats: Mapping[str, int], seed: int) -> Iterator[list[str]]:
    """For each round who is in it; who has fewer `repeats` is in every second or third, and always in the first."""
    dice = random.Random(seed)
    total = max(repeats.values(), default=0)
    for number in range(total):
        present = [
            name for name, wanted in repeats.items() if _due(number + 1, wanted, total) > _due(number, wanted, total)
        ]
        dice.shuffle(present)
        yield present


def by_turns(
    repeats: Mapping[str, int],
    once: Callable[[str], Result],
    *,
    seed: int,
    longest_s: float,
    now_s: Callable[[], float] = time.monotonic,
) -> dict[str, list[Result]]:
    """The results of each; after the first round no other begins when `longest_s` are over."""
    results: dict[str, list[Result]] = {name: [] for name in repeats}
    until_s = now_s() + longest_s
    for number, present in enumerate(rounds(repeats, seed)):
        for name in present:
            if number and now_s() >= until_s:
                return results
            results[name].append(once(name))
    return results


def _due(number: int, wanted: int, total: int) -> int:
    """How many of `wanted` have had their turn before round `number`, rounded up."""
    return -(-number * wanted // total)
