"""Several simulated nodes over 26 hours: the pages that Prometheus would have scraped, and the truth beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleet.agent import FINE_FROM_S, Agent, instants
from fleet.machine import machine
from fleet.neighbours import SERVERS
from fleet.pages import Page, Target
from fleet.plan import BOXES, HOUR_S, HOURS, START_UNIX_S, Box, Work
from fleet.story import story
from fleet.truth import Truth, TruthBook

RESTART_S = 150.0
"""For so long a restarted agent is not there."""
FAULTS_S = 300.0
"""How often the counts of faults are on the pages of the coarse time: they are a third of all lines, and stand."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of it."""

    pages: tuple[Page, ...]
    truth: Truth


def simulate(boxes: Sequence[Box] = BOXES, works: Sequence[Work] | None = None) -> Simulation:
    """Run the story on the real pipeline."""
    works = story() if works is None else works
    book = TruthBook()
    pages = [page for box in boxes for page in _node(box, works, book)]
    pages.extend(server.page(at_s) for at_s in instants() for server in SERVERS if at_s >= server.begin_h * HOUR_S)
    tokens = {server.pod: server.generated_per_s * (HOURS - server.begin_h) * HOUR_S for server in SERVERS}
    return Simulation(tuple(pages), book.truth(works, tokens))


def _node(box: Box, works: Sequence[Work], book: TruthBook) -> Iterator[Page]:
    node, target = machine(box, works), Target(box.instance)
    agent, last = Agent(node), None
    restart_s = box.restart_h * HOUR_S
    for at_s in instants():
        node.clock.now_s = at_s
        if restart_s <= at_s < restart_s + RESTART_S and box.restart_h >= 0:
            yield target.missed(START_UNIX_S + at_s)
            agent = Agent(node, last)
            continue
        last = agent.tick()
        book.note(box.instance, last)
        if box.unseen_h[0] * HOUR_S <= at_s < box.unseen_h[1] * HOUR_S:
            yield target.missed(START_UNIX_S + at_s)
        else:
            yield target.scraped(last, faults=at_s >= FINE_FROM_S or at_s % FAULTS_S == 0)
