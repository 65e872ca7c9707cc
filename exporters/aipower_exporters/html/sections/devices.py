"""Energy by device and by component: who used it, and what nobody used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aipower.model import SUMMED_KINDS
from aipower.runrecord import DeviceRecord, RunRecord, is_covered
from aipower_exporters.html.bars import HEIGHT, Part, Scale, Whisker, bar, scale_for
from aipower_exporters.html.labels import Label, swatch
from aipower_exporters.html.markup import Html, foreign, join, tag
from aipower_exporters.html.sections.section import section
from aipower_exporters.html.tables import Column, Row, table
from aipower_exporters.html.wording import METHODS, UNKNOWN, bracket, duration, joules, percent_of, plus_minus, watts

MHZ = 1e6
COMPONENTS = (
    ("run", "This run", "what the run's own processes used"),
    ("idle", "Idle", "what the bare devices draw; charged to nobody"),
    ("other", "Other processes", "what others used meanwhile"),
    ("unattributed", "Unattributed", "what cannot be assigned to anybody"),
)


def devices(record: RunRecord, labels: Mapping[str, Label]) -> Html | None:
    """A bar for each device, split by component; None without devices."""
    if not record.devices:
        return None
    figure = tag("figure", _key(), _bars(record, labels), tag("figcaption", _caption(record)))
    more = tag("details", tag("summary", "All about each device"), _details(record, labels), class_="print-open")
    return section("devices", "Energy by device", figure, more)


def components(record: RunRecord) -> Html | None:
    """The sums over devices that do not contain each other; None where no energy is known to be divided."""
    rows = [row for row in record.devices if row.kind in SUMMED_KINDS and row.energy_j is not None]
    if all(_sum(rows, style) is None for style, *_ in COMPONENTS):
        return None
    scale = scale_for(
        high for style, *_ in COMPONENTS for high in (_sum(rows, style) or 0.0, *(_interval(record, style) or ()))
    )
    columns = [
        Column("component"),
        Column("energy", "figure"),
        Column("95 % interval", "figure interval"),
        Column("share", "figure"),
        Column(scale.axis(), "bar-cell"),
    ]
    whole_j = sum(row.energy_j or 0.0 for row in rows)
    cells = [_component(record, rows, scale, whole_j, component) for component in COMPONENTS]
    lead = f"All devices together drew {joules(whole_j)}; this is where it went. {_undivided(rows)}"
    return section(
        "components", "Energy by component", table("Energy by component", columns, cells, "bars"), lead=lead
    )


def _component(
    record: RunRecord, rows: Sequence[DeviceRecord], scale: Scale, whole_j: float, component: tuple[str, str, str]
) -> Row:
    style, title, meaning = component
    energy_j, interval_j = _sum(rows, style), _interval(record, style)
    drawn = bar(scale, [Part(energy_j, style)] if energy_j else [], [Whisker(interval_j)] if interval_j else [])
    name = join([tag("i", class_=f"swatch part-{style}"), title, tag("small", meaning)])
    return [name, joules(energy_j), bracket(interval_j) or "none recorded", percent_of(energy_j, whole_j), drawn]


def _interval(record: RunRecord, style: str) -> tuple[float, float] | None:
    """The record knows that of the run only."""
    return record.interval_j.total if style == "run" else None


def _sum(rows: Iterable[DeviceRecord], style: str) -> float | None:
    """None where no device knows it."""
    known = [energy_j for row in rows if (energy_j := _parts(row)[style]) is not None]
    return sum(known) if known else None


def _undivided(rows: Iterable[DeviceRecord]) -> str:
    """Devices that nobody can divide are in the whole but in no component."""
    energy_j = sum(row.energy_j or 0.0 for row in rows if row.run_energy_j is None)
    return f"{joules(energy_j)} of it cannot be divided: see the devices." if energy_j else ""


def _parts(row: DeviceRecord) -> dict[str, float | None]:
    return {
        "run": row.run_energy_j,
        "idle": row.idle_j,
        "other": row.other_j,
        "unattributed": row.unattributed_j,
    }


def _key() -> Html:
    items = [tag("li", tag("i", class_=f"swatch part-{style}"), title) for style, title, _ in COMPONENTS]
    return tag("ul", *items, class_="key")


def _caption(record: RunRecord) -> str:
    single = "Upper error bar: the run's part. Lower error bar: the whole device. Both are 95 % intervals."
    several = len({row.kind for row in record.devices} - {*SUMMED_KINDS}) > 0
    return (
        f"{single} Devices of other kinds contain some of the others and are not added to them." if several else single
    )


def _bars(record: RunRecord, labels: Mapping[str, Label]) -> Html:
    scale = scale_for(
        high
        for row in record.devices
        for high in (row.energy_j or 0.0, *(row.interval_j or ()), *(row.run_interval_j or ()))
    )
    columns = [
        Column("device"),
        Column("by this run", "figure"),
        Column("95 % interval", "figure interval"),
        Column("whole device", "figure"),
        Column("95 % interval", "figure interval"),
        Column(scale.axis(), "bar-cell"),
    ]
    return table(
        "Energy by device", columns, [_device(row, labels[row.device], scale) for row in record.devices], "bars"
    )


def _device(row: DeviceRecord, label: Label, scale: Scale) -> Row:
    name = join([swatch(label), tag("small", foreign(row.name))])
    own = joules(row.run_energy_j) if row.run_energy_j is not None else UNKNOWN
    return [name, own, bracket(row.run_interval_j), joules(row.energy_j), bracket(row.interval_j), _bar(row, scale)]


def _bar(row: DeviceRecord, scale: Scale) -> Html:
    if row.energy_j is None:
        return tag("span", "no energy was read", class_="quiet")
    if row.run_energy_j is None:
        parts = [Part(row.energy_j, "undivided")]
    else:
        parts = [Part(energy_j, style) for style, energy_j in _parts(row).items() if energy_j]
    intervals = ((row.run_interval_j, HEIGHT * 0.32), (row.interval_j, HEIGHT * 0.68))
    return bar(scale, parts, [Whisker(interval_j, y) for interval_j, y in intervals if interval_j])


def _details(record: RunRecord, labels: Mapping[str, Label]) -> Html:
    """What the bars have no room for."""
    return join([_accounts(record, labels), _conditions(record, labels)])


def _accounts(record: RunRecord, labels: Mapping[str, Label]) -> Html:
    figures = ("idle", "other processes", "unattributed", "device comparable within", "run comparable within")
    columns = [
        Column("device"),
        Column("how measured", "prose"),
        *(Column(title, "figure") for title in figures),
        Column("calibration", "prose"),
    ]
    rows = [_account(row, labels[row.device]) for row in record.devices]
    return table("What each device's energy rests on, and where the rest of it went", columns, rows, "fine")


def _account(row: DeviceRecord, label: Label) -> Row:
    return [
        foreign(label.text),
        foreign(_method(row)),
        joules(row.idle_j) if row.idle_j else "level never seen",
        joules(row.other_j),
        joules(row.unattributed_j),
        plus_minus(row.energy_j, row.repeatable_interval_j) or UNKNOWN,
        plus_minus(row.run_energy_j, row.repeatable_run_interval_j) or UNKNOWN,
        foreign(row.calibration or "not calibrated"),
    ]


def _method(row: DeviceRecord) -> str:
    method = METHODS.get(row.method, row.method)
    return f"{method}; the run's part is not known: {row.run_unknown}" if row.run_unknown else method


def _conditions(record: RunRecord, labels: Mapping[str, Label]) -> Html:
    figures = ("mean", "peak", "power limit", "P-state", "core clock", "memory clock", "covered")
    columns = [Column("device"), *(Column(title, "figure") for title in figures), Column("id", "prose")]
    rows = [_condition(row, labels[row.device], record.wall_s) for row in record.devices]
    return table("Power, clocks and cover of each device", columns, rows, "fine")


def _condition(row: DeviceRecord, label: Label, wall_s: float) -> Row:
    return [
        foreign(label.text),
        watts(row.mean_w),
        watts(row.peak_w),
        watts(row.power_limit_w),
        UNKNOWN if row.performance_state is None else f"P{row.performance_state}",
        _clock(row.core_clock_hz),
        _clock(row.memory_clock_hz),
        _covered(row, wall_s),
        foreign(row.device),
    ]


def _covered(row: DeviceRecord, wall_s: float) -> str:
    part = duration(row.covered_s)
    return part if is_covered(row, wall_s) else f"only {part} of {duration(wall_s)}"


def _clock(clock_hz: float | None) -> str:
    return UNKNOWN if clock_hz is None else f"{clock_hz / MHZ:.0f} MHz"
