"""Who will be asked in a moment is told so first: then the calls of many devices are handed to a thread in one go."""

from __future__ import annotations

from collections.abc import Iterable


def announce(asked: Iterable[object]) -> None:
    """Tell those sensors and sources of usage which care that they are asked next, all in this order.

    It changes no answer. Who is told and not asked after all drops its reading, and keeps its usage for the next one.
    """
    for each in asked:
        expect = getattr(each, "expect", None)
        if expect is not None:
            expect()
