"""Damages journals: loading raises nothing, and a ledger can go on with whatever comes out."""

from __future__ import annotations

from benchmarks.fuzz.outcome import Outcome
from journal.fuzz import fuzz as damage

STEP = 1000
WORDS = {"counters", "corrupt", "newer", "nothing"}


def fuzz(inputs: int, seed: int) -> Outcome:
    """What came of `inputs` damaged journals; half are damaged bytes, half damaged counters under a good checksum."""
    outcome = Outcome()
    for number, first in enumerate(range(0, inputs, STEP)):
        # Seeds of their own, so that a finding can be repeated in a second.
        part = seed * 1_000_003 + number
        count = min(STEP, inputs - first)
        try:
            outcome.answers.update(damage(count, part))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            outcome.answers["raised"] += count
            outcome.findings.append(f"tests/journal/fuzz.py --inputs {count} --seed {part}: {error!r}")
        if outcome.hopeless:
            break
    outcome.findings += [f"unknown answer {word}" for word in outcome.answers if word not in {*WORDS, "raised"}]
    return outcome
