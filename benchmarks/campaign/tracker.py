"""Holds each page against all that came before it: what a counter has shown stays true."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.campaign.pages import AGENT_START, COUNTERS_START, DEVICE, PROCESS, RUN, Key, Series, uj, value

LEAVING = (PROCESS, RUN)
"""Series that leave when their owner has gone; the others stay for ever."""
LASTING = ("aipower_agent_faults_total", "aipower_agent_folded_series_total")


def lasts(name: str) -> bool:
    """True for counters that go on over restarts; those of the agent's own cost begin anew with each start."""
    return name.endswith("_total") and (name in LASTING or not name.startswith("aipower_agent_"))


@dataclass(slots=True)
class Tracker:
    """What has been shown so far."""

    shown: dict[Key, float] = field(default_factory=dict)
    """The last value of each series that is there to stay, or was there on the last page."""
    compared: int = 0
    """Values that were held against earlier ones."""

    def see(self, page: Series) -> list[str]:
        """What on `page` contradicts earlier pages. A page without devices is that of an agent that is starting."""
        if not any(name == DEVICE for name, _ in page):
            return []
        wrong = [*self._fallen(page), *self._gone(page)]
        own = value(page, AGENT_START) == self._value(AGENT_START)
        wrong += self._anew(page) if own else []
        since = self._value(COUNTERS_START)
        if since and value(page, COUNTERS_START) != since:
            wrong.append(f"counting began anew: {since} became {value(page, COUNTERS_START)}")
        self.shown = dict(page)
        return wrong

    def _value(self, name: str) -> float:
        return value(self.shown, name)

    def _fallen(self, page: Series) -> list[str]:
        keys = sorted((key for key in page.keys() & self.shown.keys() if lasts(key[0])), key=told)
        self.compared += len(keys)
        return [
            f"{told(key)} fell from {self.shown[key]} to {page[key]}"
            for key in keys
            if uj(page[key]) < uj(self.shown[key])
        ]

    def _gone(self, page: Series) -> list[str]:
        missing = [key for key in self.shown.keys() - page.keys() if lasts(key[0]) and key[0] not in LEAVING]
        return [f"{told(key)} has gone" for key in missing]

    def _anew(self, page: Series) -> list[str]:
        """Counters of the agent's own that fell without a new start."""
        keys = [key for key in page.keys() & self.shown.keys() if key[0].endswith("_total") and not lasts(key[0])]
        return [f"{told(key)} fell" for key in keys if page[key] < self.shown[key]]


def told(key: Key) -> str:
    """A series for people."""
    name, labels = key
    return f"{name}{{{','.join(f'{label}={text!r}' for label, text in sorted(labels))}}}"
