"""Who used what of a whole cluster in a time: jobs, users, what is in no job, and the idle devices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from aipower.fleet import faultlines
from aipower.fleet.errors import of_account, of_device
from aipower.fleet.find import Asked
from aipower.fleet.growth import Growth, Key, Reader, Window
from aipower.fleet.machines import ACCOUNT, began_since
from aipower.fleet.names import DEVICE_ENERGY, JOB_ENERGY, JOB_ERROR, JOB_HELD, JOB_INFO, JOB_UNUSED
from aipower.fleet.nodes import Node, shown_names
from aipower.fleet.parts import kind_of
from aipower.fleet.reached import contacts, silent_since
from aipower.fleet.selectors import Selector
from aipower.fleet.span import pace, scrapes
from aipower.merge.spread import Spread
from aipower.model import SUMMED_KINDS
from aipower.runrecord import FaultLine, Interval

SCHEMA = "aipower.fleet/1"
PACE_S = 1800.0
DEVICE = ("device", "kind", "index")
UNSEEN = "unseen"
"""The system of what was used by jobs that had left before anybody scraped them."""
CRUMB = 1e-6
"""Of the whole: the noise of sums of floating-point numbers."""

Who = tuple[str, str, str, str]
"""Cluster, system, job and user."""


class SummaryRow(Struct, frozen=True):
    """One user's part of one job, on all nodes."""

    cluster: str
    """Empty where the series of all clusters are alike."""
    system: str
    job: str
    user: str
    name: str
    team: str
    energy_j: float
    interval_j: Interval
    by_kind_j: Mapping[str, float]
    nodes: int
    held_s: float | None = None
    """Seconds for which it held GPUs, summed over them; None where it held none."""
    unused_s: float | None = None


class Summary(Struct, frozen=True):
    """All rows; they sum to the whole."""

    started_unix_s: float
    ended_unix_s: float
    resolution_s: float
    energy_j: float
    interval_j: Interval
    nodes: Sequence[str]
    rows: Sequence[SummaryRow]
    """The largest first."""
    faults: Sequence[FaultLine]
    complete: bool
    schema: str = SCHEMA


class _Sum(Struct):
    """Of the accounts of one row, as they come."""

    devices: dict[tuple[Node, str], Spread] = field(default_factory=dict)
    kinds_j: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, key: Key, spread: Spread) -> None:
        node, words = key
        place = node, words[4]
        self.devices[place] = self.devices.get(place, Spread()).beside(spread)
        self.kinds_j[words[5]] += spread.energy_j

    def whole(self) -> Spread:
        return _apart(self.devices.values())


def summary_of(reader: Reader, asked: Asked, window: Window) -> Summary:
    """Of everything that the matchers leave.

    Raises:
        EngineError: The engine refuses.
    """
    targets = asked.targets
    began = began_since(reader, targets, window)
    devices = _summed(reader.grown(Selector(DEVICE_ENERGY, targets), window, DEVICE, began), 1)
    accounts = _summed(reader.grown(Selector(JOB_ENERGY, targets, asked.own()), window, ACCOUNT, began), 5)
    interval_s = pace(scrapes(reader, targets, Window(window.end_s - PACE_S, window.end_s)))
    halves_j = reader.over("last_over_time", Selector(JOB_ERROR, targets, asked.own()), window, ACCOUNT)
    shown = shown_names(key[0] for key in devices)
    rows = _rows(reader, asked, window, accounts, halves_j)
    whole = _apart(of_device(one.value, window.span_s, kind_of(words[1])) for (_, words), one in devices.items())
    if not asked.system:
        rows = [*rows, *_unseen(devices, accounts)]
    faults = _faults(reader, targets, window, shown, interval_s, devices)
    energy_j = whole.energy_j if not asked.system else sum(row.energy_j for row in rows)
    return Summary(
        window.start_s,
        window.end_s,
        interval_s,
        energy_j,
        whole.absolute_j if not asked.system else _apart_rows(rows),
        sorted(shown.values()),
        sorted(rows, key=lambda row: row.energy_j, reverse=True),
        faults,
        not faults,
    )


def _summed(growths: Mapping[Key, Growth], place: int) -> dict[Key, Growth]:
    """Those of the kinds that contain no other."""
    return {key: growth for key, growth in growths.items() if key[1][place] in SUMMED_KINDS}


def _rows(
    reader: Reader,
    asked: Asked,
    window: Window,
    accounts: Mapping[Key, Growth],
    halves_j: Mapping[Key, float],
) -> list[SummaryRow]:
    sums: dict[Who, _Sum] = defaultdict(_Sum)
    for key, growth in accounts.items():
        if growth.value > 0:
            system, job, _, user = key[1][:4]
            spread = of_account(growth, halves_j.get(key), kind_of(key[1][5]))
            sums[key[0].cluster, system, job, user].add(key, spread)
    held, unused = (_seconds(reader, asked, window, metric) for metric in (JOB_HELD, JOB_UNUSED))
    facts = _facts(reader, asked, window)
    rows: list[SummaryRow] = []
    for who, one in sums.items():
        name, team = facts.get(who[:3], ("", ""))
        whole = one.whole()
        nodes = len({node for node, _ in one.devices})
        kinds_j: dict[str, float] = {kind: one.kinds_j[kind] for kind in SUMMED_KINDS if kind in one.kinds_j}
        rows.append(
            SummaryRow(
                *who, name, team, whole.energy_j, whole.absolute_j, kinds_j, nodes, held.get(who), unused.get(who)
            )
        )
    return rows


def _seconds(reader: Reader, asked: Asked, window: Window, metric: str) -> dict[Who, float]:
    grown = reader.grown(Selector(metric, asked.targets, asked.own()), window, ACCOUNT, lambda _: True)
    found: dict[Who, float] = defaultdict(float)
    for (node, (system, job, _, user, *_)), growth in grown.items():
        found[node.cluster, system, job, user] += growth.value
    return found


def _facts(reader: Reader, asked: Asked, window: Window) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Name and team by cluster, system and job; a pod's own name where it has none."""
    labels = ("system", "job", "name", "team", "pod")
    found = reader.over("last_over_time", Selector(JOB_INFO, asked.targets, asked.own()), window, labels)
    return {(node.cluster, words[0], words[1]): (words[2] or words[4], words[3]) for node, words in sorted(found)}


def _unseen(devices: Mapping[Key, Growth], accounts: Mapping[Key, Growth]) -> list[SummaryRow]:
    """What the devices used beyond what all accounts tell: jobs that came and left between two scrapes."""
    kinds_j: dict[str, float] = defaultdict(float)
    for (_, words), growth in devices.items():
        kinds_j[words[1]] += growth.value
    whole_j = sum(kinds_j.values())
    for (_, words), growth in accounts.items():
        kinds_j[words[5]] -= growth.value
    rest_j = sum(kinds_j.values())
    if rest_j <= CRUMB * whole_j:
        return []
    known_j: dict[str, float] = {kind: max(0.0, kinds_j[kind]) for kind in SUMMED_KINDS if kind in kinds_j}
    scale_j = of_account(Growth(rest_j, rest_j), None, "gpu").absolute_j
    return [SummaryRow("", UNSEEN, "", "", "", "", rest_j, scale_j, known_j, 0)]


def _faults(
    reader: Reader,
    targets: Sequence[str],
    window: Window,
    shown: Mapping[Node, str],
    interval_s: float,
    devices: Mapping[Key, Growth],
) -> list[FaultLine]:
    seen = contacts(reader, targets, window, interval_s)
    lost = {node for (node, _), growth in devices.items() if growth.resets}
    late = {node for (node, _), growth in devices.items() if not growth.based}
    return [
        *faultlines.engine(reader.client.warnings, window.span_s),
        *faultlines.silent(silent_since(seen, window.end_s, interval_s), window, shown),
        *faultlines.holes(seen, window, shown),
        *(_of_node(shown[node], "counter_reset", window, "its counters were lost and began again at 0; what was used"
                   " between the last scrape and that is not counted") for node in sorted(lost)),
        *(_of_node(shown[node], "partial", window, "it was not scraped when the time began; its energy is counted from"
                   " its first scrape on") for node in sorted(late)),
    ]  # fmt: skip


def _of_node(name: str, reason: str, window: Window, detail: str) -> FaultLine:
    return FaultLine(None, reason, 0.0, window.span_s, 1, f"{name}: {detail}")


def _apart(spreads: Iterable[Spread]) -> Spread:
    whole = Spread()
    for spread in spreads:
        whole = whole.apart_from(spread)
    return whole


def _apart_rows(rows: Sequence[SummaryRow]) -> Interval:
    """Both ends added up: the rows share their sensors."""
    return sum(row.interval_j[0] for row in rows), sum(row.interval_j[1] for row in rows)
