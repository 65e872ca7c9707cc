"""A picture as JSON, schema `aipower.top/1`: joules, watts and seconds, null for what is not known."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aipower.model import UJ_PER_J, Kind
from aipower.top.head import Surroundings
from aipower.top.rows import Account, DeviceRow, Picture, ProcessRow, Sums

SCHEMA = "aipower.top/1"

Json = Mapping[str, object]


def as_json(picture: Picture, processes: tuple[ProcessRow, ...], around: Surroundings) -> str:
    """One line. `processes` are those that are to be in it, in their order; `hidden_processes` is how many are not."""
    document = {
        "schema": SCHEMA,
        "at_unix_s": picture.at_unix_s,
        "since_unix_s": picture.since_unix_s,
        "host": around.host,
        "source": {"kind": around.origin.kind, "title": around.origin.title, "trouble": around.trouble or None},
        "simulated": picture.simulated,
        "measured_w": dict(picture.measured_w),
        "devices": [_device(row) for row in picture.devices],
        "processes": [_process(row) for row in processes],
        "hidden_processes": len(picture.processes) - len(processes),
        "accounts": [_account(account) for account in picture.accounts],
        "total": None if picture.total is None else _account(picture.total),
        "not_measured": [
            {"source": missing.source, "kind": missing.kind, "reason": missing.reason, "remedy": missing.remedy}
            for missing in picture.unavailable
        ],
        "note": picture.note or None,
    }
    return json.dumps(document)


def _device(row: DeviceRow) -> Json:
    device = row.device
    return {
        "device": device.id,
        "kind": device.kind,
        "index": device.index,
        "name": device.name,
        "parent": device.parent,
        "in_total": row.summed,
        "up": row.up,
        "method": row.method,
        "power_w": row.power_w,
        "mean_w": row.mean_w,
        "power_limit_w": row.full_w if row.limited else None,
        "energy_j": _j(row.energy_uj),
        "idle_j": _j(row.idle_uj),
        "processes_j": _j(row.processes_uj),
        "other_j": _j(row.other_uj),
        "unattributed_j": _j(row.unattributed_uj),
        "faults": dict(row.faults),
    }


def _process(row: ProcessRow) -> Json:
    return {
        "pid": row.pid,
        "user": row.user,
        "run": row.run or None,
        "comm": row.comm,
        "command": row.command,
        **_sums(row.sums),
        "half_width_j": None if row.half_uj is None else _j(row.half_uj),
        "work_share": row.share,
        "never_seen_apart": row.together,
        "ended": row.ended,
    }


def _account(account: Account) -> Json:
    return {"name": account.name, **_sums(account.sums)}


def _sums(sums: Sums) -> Json:
    kinds: Mapping[Kind, int] = sums.kinds_uj
    return {
        "power_w": sums.power_w,
        "energy_j": _j(sums.energy_uj),
        "energy_j_by_kind": {kind: _j(energy_uj) for kind, energy_uj in kinds.items()},
    }


def _j(energy_uj: float) -> float:
    return energy_uj / UJ_PER_J
