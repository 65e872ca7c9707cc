"""What makes two sides hard to compare: why not at all, and what to bear in mind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aipower.compare.model import Question, Side
from aipower.compare.reading import KINDS, amounts, device_key, kinds_of, used
from aipower.compare.sides import has_failed, is_partial
from aipower.record.wording import short
from aipower.runrecord import DeviceRecord, RunRecord

TITLES = {"gpu": "GPU", "cpu": "CPU", "dram": "DRAM"}
SAME_CLOCK = 0.02
"""Clocks that differ by less are those of the same setting."""
OTHERS = 0.01
"""More of a device's energy than this is work of others, less is noise."""
SHOWN = 3


def obstacles(base: Side, other: Side) -> list[str]:
    """Why no verdict is possible, in words; empty where one is."""
    found = []
    if _simulated(base) != _simulated(other):
        found.append(f"{_simulated_one(base, other).label} is simulated, the other is not")
    partial = [one for one in (base, other) if all(is_partial(record) for record in one.runs)]
    found += [f"no run of {one.label} was measured to its end" for one in partial]
    failed = [one for one in (base, other) if all(has_failed(record) for record in one.runs)]
    if len(failed) == 1:
        found.append(f"every run of {failed[0].label} failed (exit {_exit_codes(failed[0])})")
    return found


def side_warnings(one: Side) -> list[str]:
    """What is to be said of one side alone."""
    return [text for rule in SIDE_RULES for text in rule(one)]


def pair_warnings(base: Side, other: Side) -> list[str]:
    """What differs between two sides beside the program."""
    return [text for rule in PAIR_RULES for text in rule(base, other)]


def kinds_warnings(sides: Sequence[Side], kinds: Sequence[str]) -> list[str]:
    """Kinds of devices that are left out, for not all sides have them."""
    left_out = [kind for kind in KINDS if kind not in kinds and any(_some_have(one, kind) for one in sides)]
    return [
        f"{TITLES[kind]} was not measured for {_names(one.label for one in sides if not _all_have(one, kind))}:"
        " left out everywhere"
        for kind in left_out
        if not all(_all_have(one, kind) for one in sides)
    ]


def work_warnings(sides: Sequence[Side], question: Question, per: str) -> list[str]:
    """Work that differs although whole runs are compared."""
    if per or question.of == "devices":
        return []
    told = {unit for one in sides for record in one.runs for unit in amounts(record)}
    for unit in sorted(told):
        found = [[amounts(record).get(unit) for record in one.runs] for one in sides]
        if any(amount is None for side_ in found for amount in side_):
            return [f"{unit} were told for some runs only: whether all did the same work is not known"]
        if question.per == "" and len({amount for side_ in found for amount in side_}) > 1:
            return [f"the runs did different amounts of {unit}: --per {unit} compares the energy of each"]
    return []


def listed(words: Sequence[str]) -> str:
    """`GPU, CPU and DRAM`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _names(labels: Iterable[str]) -> str:
    return listed(list(labels))


def _simulated(one: Side) -> bool:
    return any(record.simulated for record in one.runs)


def _simulated_one(base: Side, other: Side) -> Side:
    return base if _simulated(base) else other


def _exit_codes(one: Side) -> str:
    return ", ".join(str(code) for code in sorted({record.exit_code for record in one.runs}))


def _all_have(one: Side, kind: str) -> bool:
    return all(kind in kinds_of(record.energy_j) for record in one.runs)


def _some_have(one: Side, kind: str) -> bool:
    return any(kind in kinds_of(record.energy_j) for record in one.runs)


def _left_out(one: Side) -> Iterable[str]:
    reasons = [reason for _, reason in one.left_out]
    for reason in dict.fromkeys(reasons):
        yield f"{one.label}: {_runs(reasons.count(reason))} left out: {reason}"


def _runs(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"


def _failed(one: Side) -> Iterable[str]:
    if all(has_failed(record) for record in one.runs):
        yield f"{one.label}: its command failed each time (exit {_exit_codes(one)})"


def _commands(one: Side) -> Iterable[str]:
    commands = {tuple(record.command) for record in one.runs}
    if len(commands) > 1:
        shown = "; ".join(short(" ".join(command), 30) for command in sorted(commands)[:SHOWN])
        yield f"{one.label} stands for {len(commands)} different commands: {shown}"


def _of_a_series(one: Side) -> Iterable[str]:
    """`last` is one run, even where it is the last of a series."""
    series = {record.series.id for record in one.runs if record.series is not None}
    if len(one.runs) == 1 and one.runs[0].series is not None and one.runs[0].series.count > 1:
        yield f"{one.label} is one run of a series of {one.runs[0].series.count}: {series.pop()} means them all"


def _others(one: Side) -> Iterable[str]:
    shares = [max((_other_share(d) for d in used(record)), default=0.0) for record in one.runs]
    busy = [share for share in shares if share > OTHERS]
    if busy:
        extent = f"{_runs(len(busy))}, up to {100 * max(busy):.0f} % of the energy"
        yield f"{one.label}: other processes worked on its devices in {extent}"


def _other_share(device: DeviceRecord) -> float:
    return (device.other_j or 0.0) / device.energy_j if device.energy_j else 0.0


def _unknown(one: Side) -> Iterable[str]:
    names = {
        TITLES.get(d.kind, d.kind) + f" {d.index}" for record in one.runs for d in record.devices if d.run_unknown
    }
    if names:
        yield f"{one.label}: what it used of {_names(sorted(names))} is not known, and in no figure"


def _survivors(one: Side) -> Iterable[str]:
    count = sum(1 for record in one.runs if record.surviving_processes)
    if count:
        yield f"{one.label}: processes still ran at the end of {_runs(count)}: what they used later is not counted"


def _estimated(one: Side) -> Iterable[str]:
    if any(record.estimated_j.total is not None or record.estimated_j.cpu is not None for record in one.runs):
        yield f"{one.label}: what was only estimated is not compared"


SIDE_RULES: Sequence[Callable[[Side], Iterable[str]]] = (
    _left_out,
    _failed,
    _commands,
    _of_a_series,
    _others,
    _unknown,
    _survivors,
    _estimated,
)


def _hosts(base: Side, other: Side) -> Iterable[str]:
    one, two = ({record.host for record in side_.runs} for side_ in (base, other))
    if one != two:
        yield f"different hosts: {short(_names(sorted(one)), 40)} and {short(_names(sorted(two)), 40)}"


def _devices(base: Side, other: Side) -> Iterable[str]:
    one, two = ({device_key(r, d) for r in side_.runs for d in used(r)} for side_ in (base, other))
    if one and two and one != two:
        extent = "other devices" if not one & two else "partly other devices"
        yield (
            f"{base.label} and {other.label} used {extent}: there the scale of the sensors does not cancel"
            " (±5 % each where not calibrated), and it is in the interval"
        )


def _conditions(base: Side, other: Side) -> Iterable[str]:
    for kind in KINDS:
        for what, read in FACTS:
            one, two = (_facts(side_, kind, read) for side_ in (base, other))
            if one and two and one != two:
                sides = f"{_listed(one)} for {base.label}, {_listed(two)} for {other.label}"
                yield f"{TITLES[kind]} {what} differ: {sides}"


def _facts(one: Side, kind: str, read: Callable[[DeviceRecord], str]) -> set[str]:
    return {text for record in one.runs for device in used(record, (kind,)) if (text := read(device))}


def _listed(texts: set[str]) -> str:
    return ", ".join(short(text, 40) for text in sorted(texts)[:SHOWN])


FACTS: Sequence[tuple[str, Callable[[DeviceRecord], str]]] = (
    ("methods", lambda device: device.method),
    ("models", lambda device: device.name),
    ("power limits", lambda device: f"{device.power_limit_w:.0f} W" if device.power_limit_w else ""),
    ("calibrations", lambda device: device.calibration or "none"),
)


def _clocks(base: Side, other: Side) -> Iterable[str]:
    one, two = (_mean_clock(side_) for side_ in (base, other))
    if one and two and abs(two / one - 1) > SAME_CLOCK:
        yield f"GPU clocks differ: {one / 1e6:.0f} MHz for {base.label}, {two / 1e6:.0f} MHz for {other.label}"


def _mean_clock(one: Side) -> float:
    clocks = [d.core_clock_hz for r in one.runs for d in used(r, ("gpu",)) if d.core_clock_hz]
    return sum(clocks) / len(clocks) if clocks else 0.0


def _meters(base: Side, other: Side) -> Iterable[str]:
    rules: Sequence[tuple[str, Callable[[RunRecord], str]]] = (
        ("measured by", lambda record: record.measured_by),
        ("versions of aipower:", lambda record: record.version),
    )
    for what, read in rules:
        one, two = ({read(record) for record in side_.runs} for side_ in (base, other))
        if one != two:
            yield f"{what} {_listed(one)} for {base.label}, {_listed(two)} for {other.label}"


def _borrowed(base: Side, other: Side) -> Iterable[str]:
    """The statistics take one run to vary as the repeated side does."""
    few, many = sorted((base, other), key=lambda side_: len(side_.runs))
    if len(few.runs) == 1 < len(many.runs):
        yield f"{few.label} is one run: it is taken to vary as {many.label} does, which nobody has seen; repeat it"


def _merits(base: Side, other: Side) -> Iterable[str]:
    """A figure that a run lacks may be one that it would have spoiled."""
    names = {name for side_ in (base, other) for record in side_.runs for name in record.metrics}
    for name in sorted(names):
        without = [side_ for side_ in (base, other) if any(name not in record.metrics for record in side_.runs)]
        if without:
            counts = (sum(1 for r in s.runs if name not in r.metrics) for s in without)
            told = _names(f"{_runs(count)} of {s.label}" for count, s in zip(counts, without, strict=True))
            yield f"{name} was not told by {told}"


PAIR_RULES: Sequence[Callable[[Side, Side], Iterable[str]]] = (
    _hosts,
    _devices,
    _conditions,
    _clocks,
    _meters,
    _borrowed,
    _merits,
)
