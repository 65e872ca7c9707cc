"""What a check is and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

Verdict = Literal["ok", "warn", "fail", "skip"]
"""`fail`: broken, and a person can repair it. `warn`: the numbers are poorer than they could be."""

LIMIT_S: Final = 3.0
"""A check that takes longer has hung; healthy ones answer in milliseconds."""


class Result(Struct, frozen=True):
    """What one check found."""

    verdict: Verdict
    found: str
    remedy: str = ""
    """What to do about it, the exact command where there is one; empty where nothing is to be done."""
    then: tuple[Check, ...] = ()
    """Checks that could only be made of what this one found: one for each GPU, for example."""


class Check(Struct, frozen=True):
    """A question to the machine."""

    id: str
    """A short stable word."""
    title: str
    ask: Callable[[], Result]
    """May raise anything and may never return."""
    limit_s: float = LIMIT_S


class Finding(Struct, frozen=True):
    """A check that was made. Every text is one printable line."""

    id: str
    title: str
    verdict: Verdict
    found: str
    remedy: str
    hung: bool = False
    """True where the check still runs, in a thread that cannot be stopped."""
