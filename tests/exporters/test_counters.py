"""What a scraper makes of the counters while processes come, go, reuse pids and outgrow the cap."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.attribution.baseline import Floor
from aipower.books.ledger import Ledger
from aipower.model import UJ_PER_J, Device, DeviceFacts, EnergyDelta, ProcessId, ProcessInfo, Snapshot, Usage
from aipower_exporters.metrics import PROCESS_ENERGY, PROCESS_FOLDED
from aipower_exporters.samples import collect
from fakes import CPU, GPU, FakeDirectory, attributed, process

Page = dict[tuple[str, tuple[str, ...]], float]

WORK = st.dictionaries(st.tuples(st.integers(1, 5), st.integers(1, 3)), st.floats(0.001, 4), max_size=5)
Event = tuple[Device, int, dict[tuple[int, int], float], set[int], bool]
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([GPU, CPU]), st.integers(0, 10**9), WORK, st.sets(st.integers(1, 5), max_size=2), st.booleans()
    ),
    max_size=30,
)
"""A device, its energy, who worked (pid and birth), which pids end, and whether a snapshot is taken after it."""


class Names(FakeDirectory):
    """Births of a pid alternate between two names, one of which is shown like another's."""

    def describe(self, process: ProcessId) -> ProcessInfo:
        info = FakeDirectory.describe(self, process)
        comm = {1: "python\n", 2: "bash", 3: "python\t"}[info.id.started_ticks]
        return ProcessInfo(info.id, comm, "ada")


def page(snapshot: Snapshot) -> Page:
    """All counters."""
    return {
        (metric.name, labels): value
        for metric, series in collect(snapshot).items()
        if metric.type == "counter"
        for labels, value in series.items()
    }


def trace(events: list[Event], cap: int) -> list[Page]:
    """The pages that the agent serves during `events`."""
    directory = Names()
    ledger = Ledger(directory, cap, retention_s=3.0)
    for device in (GPU, CPU):
        ledger.open_account(device, DeviceFacts())
    ledger.register_run("run", "resnet", "ada")
    pages = [page(ledger.draft(0.0, "", {}).snapshot())]
    for number, (device, energy_uj, work, ended, scraped) in enumerate(events):
        busy = {process(pid, born): seconds for (pid, born), seconds in work.items()}
        usage = Usage(number, number + 1, busy, samples=6, holders=frozenset(list(busy)[:2]))
        delta = EnergyDelta(device, number, number + 1, energy_uj)
        floor = Floor(energy_uj // 7, energy_uj // 9 if busy else 0)
        ledger.post(attributed(delta, usage, floor, dict(busy.items())), lambda who: "run" if who.pid % 2 else "")
        directory.end(process(pid, born) for pid in ended for born in range(1, 4))
        ledger.retire(float(number))
        if scraped:
            pages.append(page(ledger.draft(0.0, "", {}).snapshot()))
    return [*pages, page(ledger.draft(0.0, "", {}).snapshot())]


@settings(deadline=None)
@given(EVENTS, st.integers(1, 4))
def test_no_counter_falls_while_it_is_on_the_page(events: list[Event], cap: int) -> None:
    pages = trace(events, cap)
    for before, after in pairwise(pages):
        assert all(after[key] >= value for key, value in before.items() if key in after)


@settings(deadline=None)
@given(EVENTS, st.integers(1, 4))
def test_what_processes_used_between_scrapes_is_never_more_than_the_device(events: list[Event], cap: int) -> None:
    """Also for a reader that counts a series which appears from 0 on, which Prometheus does not."""
    pages = trace(events, cap)
    for device in (GPU, CPU):
        for before, after in pairwise(pages):
            grown = sum(
                max(0.0, value - before.get(key, 0.0))
                for key, value in after.items()
                if key[0] == PROCESS_ENERGY.name and device.id in key[1]
            )
            whole = ("aipower_device_energy_joules_total", (device.id, device.kind, device.index))
            assert grown <= after[whole] - before[whole] + 1e-5


@settings(deadline=None)
@given(EVENTS, st.integers(1, 4))
def test_series_and_folded_are_the_context_and_active_energy(events: list[Event], cap: int) -> None:
    for shown in trace(events, cap):
        for device in (GPU, CPU):
            for component in ("context", "active"):
                key = (device.id, device.kind, device.index, component)
                parts = [
                    value
                    for (name, labels), value in shown.items()
                    if name in {PROCESS_ENERGY.name, PROCESS_FOLDED.name} and labels[-4:] == key
                ]
                whole = shown["aipower_device_component_energy_joules_total", key]
                assert abs(sum(parts) - whole) < len(parts) / UJ_PER_J


def test_an_hour_of_jobs_at_370_watts_is_370_watts_at_every_scrape() -> None:
    """A job every 20 s, each leaving the page later: the rate over all series is the device's, never its history."""
    directory = FakeDirectory()
    ledger = Ledger(directory, max_processes=4, retention_s=30.0)
    pages: list[Page] = []
    for second in range(600):
        job = process(1 + second // 20)
        delta = EnergyDelta(GPU, second, second + 1, 370 * UJ_PER_J)
        usage = Usage(second, second + 1, {job: 1.0}, samples=6)
        ledger.post(attributed(delta, usage, Floor(0), {job: 1.0}))
        directory.end(process(pid) for pid in range(1, job.pid))
        ledger.retire(float(second))
        pages.append(page(ledger.draft(0.0, "", {}).snapshot()))
    rates = [increase(before, after) for before, after in pairwise(pages)]
    # The first sample of a series has no increase: in the second in which a job begins there is none.
    assert {round(rate) for rate in rates} <= {0, 370}
    assert sum(rates) / len(rates) > 0.94 * 370


def increase(before: Page, after: Page) -> float:
    """What `sum(increase(...))` of the process series is between two scrapes, a fall being a restart from 0."""
    grown = 0.0
    for key, value in after.items():
        if key[0] == PROCESS_ENERGY.name and key in before:
            grown += value - before[key] if value >= before[key] else value
    return grown
