"""When an agent took its samples, though its page does not tell: by the number of its ticks, which come evenly."""

from __future__ import annotations

from collections import deque

LOOKS = 120
"""The rhythm is that of the last two minutes: the agent may be told another one."""


class TickClock:
    """Turns numbers of ticks into times.

    A page that is fetched once a second shows samples that are 0 to 1 s old, so that a difference of two fetches would
    be wrong by up to a second. Ticks come on a fixed grid, so their number tells the time once their period is known:
    the mean over all fetches so far, which is better by the number of them.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=LOOKS)
        self._stamp_s = self._asked_s = float("-inf")

    def stamp_s(self, now_s: float, tick: int) -> float:
        """The time of `tick`, which the page fetched at `now_s` shows; `now_s` itself while nothing better is known.

        Later ticks get later times. Call it for each fetch: a new tick came after the fetch before.
        """
        if not self._seen or tick < self._seen[-1][1]:
            self._seen.clear()  # another agent
            self._seen.append((now_s, tick))
            self._stamp_s = now_s
        elif tick > self._seen[-1][1]:
            ticks = tick - self._seen[-1][1]
            self._seen.append((now_s, tick))
            guess_s = self._stamp_s + ticks * self._period_s()
            self._stamp_s = min(now_s, max(guess_s, self._asked_s, self._stamp_s))
        self._asked_s = now_s
        return self._stamp_s

    def _period_s(self) -> float:
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        return (last_s - first_s) / (last - first)
