"""Hours of churn on one node: series of the page, sums and memory over time."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from aipower.model import Owner, Snapshot
from benchmarks.cluster.cap import most_series
from benchmarks.cluster.churn import Look, Node, faults_of
from benchmarks.cluster.world import HOUR_S, Churn


def resident_mb() -> float:
    """Of this process, which is the simulation too."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def churn_table(churn: Churn, hours: int, max_processes: int, max_jobs: int, say: Callable[[str], None]) -> bool:
    """A row for each hour; True if no page was over the cap and all sums were exact."""
    node = Node(churn, max_processes, max_jobs)
    most = most_series(node.bounds)
    say(f"cap without created timestamps: {sum(most.values())} series\n")
    say("| hour | processes | most series | over a cap | wrong sums | found | other | resident | CPU of a second |")
    say("|---|---|---|---|---|---|---|---|---|")
    good, largest = True, Largest()
    for hour in range(1, hours + 1):
        highest, over, wrong, began_s = 0, 0, 0, time.process_time()
        for look in node.run(HOUR_S):
            counts = plain(look)
            highest = max(highest, sum(counts.values()))
            over += sum(count > most[name] for name, count in counts.items())
            wrong += len(faults_of(look.snapshot))
            largest.note(look.snapshot)
        gc.collect()
        cpu_ms = 1000 * (time.process_time() - began_s) / HOUR_S
        shares = [f"{100 * share:.2f} %" for share in (largest.share(), largest.share("other"))]
        cost = f"{resident_mb():.1f} MB", f"{cpu_ms:.1f} ms"
        row = (hour, node.population.born, highest, over, wrong, *shares, *cost)
        say(f"| {' | '.join(map(str, row))} |")
        good = good and not over and not wrong
    return good


class Largest:
    """What `max_over_time()` finds: the largest value that a scrape saw of each series of jobs."""

    def __init__(self) -> None:
        self._now_uj: dict[tuple[Owner, str, str], int] = {}
        self._left_uj: Counter[str] = Counter()
        """Of the series that have left, by system: to keep each would be a memory that grows."""
        self._used_uj = 1

    def note(self, snapshot: Snapshot) -> None:
        """One scrape."""
        now_uj = {(row.owner, row.user, row.device.id): row.energy_uj for row in snapshot.jobs}
        for key in self._now_uj.keys() - now_uj.keys():
            self._left_uj[key[0].system] += self._now_uj[key]
        self._now_uj = now_uj
        self._used_uj = sum(state.context_uj + state.active_uj for state in snapshot.devices)

    def share(self, *systems: str) -> float:
        """Of all that processes have used; of `systems` only if some are named."""
        found_uj = Counter(self._left_uj)
        for (owner, _, _), energy_uj in self._now_uj.items():
            found_uj[owner.system] += energy_uj
        return sum(found_uj[system] for system in systems or found_uj) / self._used_uj


def plain(look: Look) -> Mapping[str, int]:
    """Series by metric, less those of created timestamps."""
    return {name: count for name, count in look.series().items() if not name.endswith("_created")}
