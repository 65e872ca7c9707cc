"""What no process of the list has: with the processes, the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aipower.model import SUMMED_KINDS, FoldedEnergy, ProcessEnergy
from aipower.site.history import Part, Window
from aipower_exporters.api.documents.processes import Account, AccountName
from aipower_exporters.api.numbers import joules, watts
from aipower_exporters.api.view import View, part_w


def accounts(view: View, windows: Sequence[Window], others: Iterable[Mapping[str, Part]]) -> list[Account]:
    """Idle, unattributed, other processes, of which `others` is what they draw, and what ended ones have used."""
    states, snapshot = view.summed, view.snapshot
    rows = [row for row in snapshot.processes if row.info is None]
    other_w = sum([part_w(part) for parts in others for part in parts.values()])
    idle_w = sum(window.idle_w for window in windows)
    unattributed_w = sum(window.unattributed_w for window in windows)
    return [
        _account("idle", idle_w, sum(state.idle_uj for state in states), windows),
        _account("unattributed", unattributed_w, sum(state.unattributed_uj for state in states), windows),
        _account("other", other_w, _used_uj(rows), windows),
        _account("ended", 0.0, _used_uj(snapshot.folded), windows),
    ]


def _account(name: AccountName, power_w: float, energy_uj: int, windows: Sequence[Window]) -> Account:
    return Account(name, watts(power_w) if windows else None, joules(energy_uj))


def _used_uj(rows: Sequence[ProcessEnergy] | Sequence[FoldedEnergy]) -> int:
    return sum(row.context_uj + row.active_uj for row in rows if row.device.kind in SUMMED_KINDS)
