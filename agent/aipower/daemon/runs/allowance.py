"""How often each user may ask for something."""

from __future__ import annotations

MOST_USERS = 1024
"""Users remembered; beyond that those with a full allowance are forgotten, which changes nothing for them."""


class Allowance:
    """A token bucket for each user: `per_s` on the long run, `at_once` after a pause."""

    def __init__(self, per_s: float, at_once: float) -> None:
        self._per_s = per_s
        self._at_once = at_once
        self._left: dict[int, tuple[float, float]] = {}

    def take(self, user: int, now_s: float) -> bool:
        """True if `user` may at `now_s`, which counts."""
        left = self._left_at(user, now_s)
        if left < 1:
            return False
        self._left[user] = (left - 1, now_s)
        if len(self._left) > MOST_USERS:
            self._left = {who: entry for who, entry in self._left.items() if self._left_at(who, now_s) < self._at_once}
        return True

    def _left_at(self, user: int, now_s: float) -> float:
        left, since_s = self._left.get(user, (self._at_once, now_s))
        return min(self._at_once, left + (now_s - since_s) * self._per_s)
