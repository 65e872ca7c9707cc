"""The figures that most readers came for: the total, what it cost, and what it did per unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from aipower.footprint import units
from aipower.runrecord import (
    CarbonRecord,
    CostRecord,
    Energies,
    EquivalentRecord,
    Interval,
    Intervals,
    PerUnit,
    RunRecord,
)
from aipower_exporters.html.bars import Part, Scale, Whisker, bar, scale_for
from aipower_exporters.html.labels import Label, named
from aipower_exporters.html.markup import Html, foreign, join, tag
from aipower_exporters.html.sections.section import section
from aipower_exporters.html.tables import Column, Row, facts, table
from aipower_exporters.html.wording import (
    METHODS,
    WH_J,
    bracket,
    duration,
    joules,
    number,
    percent_of,
    plus_minus,
    quantity,
    singular,
)

Figures = Iterable[tuple[str, Html | str]]


class _Sum(Struct, frozen=True):
    """The run's energy of a kind of device."""

    title: str
    energy_j: float
    interval_j: Interval | None
    estimated: bool


def summary(record: RunRecord, labels: Mapping[str, Label]) -> Html:
    """The total and all that follows from it."""
    parts = [_total(record, labels), facts([*_money(record)]), _kinds(record), _work(record), _metrics(record)]
    return section("summary", "Energy of the run", *parts)


def _total(record: RunRecord, labels: Mapping[str, Label]) -> Html:
    energy_j = record.energy_j.total
    if energy_j is None:
        known = any(row.energy_j is not None for row in record.devices)
        words = "The run's part is not known" if known else "Nothing was measured"
        return tag("p", tag("strong", words, class_="big words"), class_="total")
    return join(
        [
            tag("p", tag("strong", joules(energy_j), class_="big"), " ", *_beside(record, energy_j), class_="total"),
            tag("p", *_how(record, labels), class_="lead"),
        ]
    )


def _beside(record: RunRecord, energy_j: float) -> Iterable[Html]:
    yield tag("span", bracket(record.interval_j.total), class_="interval")
    off = plus_minus(energy_j, record.interval_j.total)
    yield tag("span", f" {off} " if off else " ", class_="quiet")
    yield tag("span", f"= {quantity(energy_j / WH_J, 'Wh')}", class_="quiet")


def _how(record: RunRecord, labels: Mapping[str, Label]) -> Iterable[Html | str]:
    yield "Measured, what the run's own processes used"
    methods = [row.method for row in record.devices if row.run_energy_j is not None]
    words = [METHODS.get(method, method) for method in dict.fromkeys(methods)]
    if words:
        yield f", by {' and '.join(words)}"
    without = [named(labels, row.device) for row in record.devices if row.run_energy_j is None]
    if without:
        yield join([", without ", foreign(", ".join(without))])
    off = plus_minus(record.energy_j.total, record.repeatable_interval_j.total)
    yield f". Between runs on the same devices it compares within {off}." if off else "."


def _kinds(record: RunRecord) -> Html | None:
    """By kind, and beside them the estimate for what was not measured."""
    rows = [*_sums(record.energy_j, record.interval_j, estimated=False)]
    rows += _sums(record.estimated_j, record.estimated_interval_j, estimated=True)
    if not rows:
        return None
    scale = scale_for(high for row in rows for high in (row.energy_j, *(row.interval_j or ())))
    columns = [
        Column("kind"),
        Column("energy", "figure"),
        Column("95 % interval", "figure interval"),
        Column("share", "figure"),
        Column("how"),
        Column(scale.axis(), "bar-cell"),
    ]
    cells = [_kind(row, scale, record) for row in rows]
    return table("Energy of the run by kind of device", columns, cells, "bars")


def _sums(energies: Energies, intervals: Intervals, *, estimated: bool) -> Iterable[_Sum]:
    found = (
        ("GPU", energies.gpu, intervals.gpu),
        ("CPU", energies.cpu, intervals.cpu),
        ("DRAM", energies.dram, intervals.dram),
    )
    for title, energy_j, interval_j in found:
        if energy_j is not None:
            yield _Sum(title, energy_j, interval_j, estimated)


def _kind(row: _Sum, scale: Scale, record: RunRecord) -> Row:
    drawn = [Part(row.energy_j, "estimate" if row.estimated else "run")]
    share = "" if row.estimated else percent_of(row.energy_j, record.energy_j.total)
    how = _estimated(record) if row.estimated else "measured"
    whiskers = [Whisker(row.interval_j)] if row.interval_j else []
    return [row.title, joules(row.energy_j), bracket(row.interval_j), share, how, bar(scale, drawn, whiskers)]


def _estimated(record: RunRecord) -> str:
    return f"estimated from {duration(record.cpu_time_s)} of CPU time, not in the total"


def _money(record: RunRecord) -> Figures:
    """In the words of the terminal; zone, year and source stand on the line of the figure."""
    if record.cost:
        yield "cost", _cost(record.cost)
    if record.carbon:
        yield "carbon", _carbon(record.carbon)
    for equivalent in record.equivalents:
        yield "equals", _equivalent(equivalent)


def _cost(cost: CostRecord) -> Html:
    basis = f"{number(cost.price_per_kwh)} {cost.currency}/kWh, {units.pue(cost.pue)}"
    return _sourced(units.money(cost.amount, cost.currency), units.money_range(*cost.interval, cost.currency), basis)


def _carbon(carbon: CarbonRecord) -> Html:
    where = f" {carbon.zone} {carbon.year} annual average" if carbon.year is not None else ""
    basis = f"{number(carbon.intensity_g_per_kwh)} g/kWh{where} ({carbon.source}), {units.pue(carbon.pue)}"
    return _sourced(f"{units.mass(carbon.co2e_g)} CO2e", units.mass_range(*carbon.interval_g), basis)


def _equivalent(equivalent: EquivalentRecord) -> Html:
    value = f"{units.count(equivalent.amount)} {equivalent.unit}"
    return _sourced(value, "", f"({equivalent.source}, {equivalent.year})")


def _sourced(value: str, interval: str, source: str) -> Html:
    return join(
        [
            tag("b", foreign(value)),
            tag("span", f" {interval}", class_="interval") if interval else None,
            tag("span", " ", foreign(source), class_="quiet"),
        ]
    )


def _work(record: RunRecord) -> Html | None:
    """Energy per unit of work; work without a figure of its own is told too."""
    rows = [_per(row) for row in record.per]
    told = {row.unit for row in record.per}
    rows += [[foreign(unit), number(amount), "", "", ""] for unit, amount in record.work.items() if unit not in told]
    if not rows:
        return None
    columns = [
        Column("unit of work"),
        Column("done", "figure"),
        Column("energy per unit", "figure"),
        Column("95 % interval", "figure interval"),
        Column("comparable within", "figure"),
    ]
    return join([tag("h3", "Per unit of work"), table("Energy per unit of work", columns, rows)])


def _per(row: PerUnit) -> list[Html | str]:
    off = plus_minus(row.energy_j, row.repeatable_interval_j)
    figure = f"{joules(row.energy_j)}/{singular(row.unit)}"
    return [foreign(row.unit), number(row.amount), foreign(figure), bracket(row.interval_j), off]


def _metrics(record: RunRecord) -> Html | None:
    if not record.metrics:
        return None
    values = [(name, tag("b", number(value))) for name, value in record.metrics.items()]
    return join([tag("h3", "Figures of merit"), facts(values)])
