"""The journal between two agents: what it owes to the hardware, and what power cuts and other versions make of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from aipower.journal.folder import SLOTS, Folder
from aipower.journal.journal import Journal
from aipower.journal.slots import Sealed, seal, unseal
from aipower.model import Snapshot

LOSSES = ("gap", "counter_reset", "implausible", "counter_stuck", "suspended")
"""Faults by which energy that the counter may have told is declared missing, or is found in another way."""
OTHER_BOOT = "another boot"
OLDER_DEVICE = ("uuid", "driver", "parent", "seen_unix_s")
"""What an earlier version may not have known of a device; all of it has defaults."""
WHOLE_PART = (0, 0, 0, 0.0, 0.0)
PART_FIELDS = 3
"""Place, active and context: the errors behind them came later."""


@dataclass(frozen=True, slots=True)
class Stand:
    """What the journal says of the devices, as an agent that died has left it."""

    owed_uj: Mapping[str, int] = field(default_factory=dict)
    """What each counter showed before anything was counted: the same after every restart, to the microjoule."""
    losses: Mapping[str, int] = field(default_factory=dict)
    """Faults of each device that declare a loss."""


def stand(folder: Path) -> Stand:
    """The stand of the journal in `folder`; an empty one where there is none yet."""
    state = Journal(Folder(folder)).load().state
    return Stand() if state is None else Stand(dict(_owed(state)), dict(_losses(state)))


def _owed(state: Snapshot) -> Iterator[tuple[str, int]]:
    for row in state.devices:
        if row.position is not None and row.position.counter_uj is not None:
            yield row.device.id, row.position.counter_uj - row.position.pending_uj - row.energy_uj


def _losses(state: Snapshot) -> Iterator[tuple[str, int]]:
    for row in state.devices:
        yield row.device.id, sum(state.fault_counts.get((row.device.id, reason), 0) for reason in LOSSES)


def put_back(copy: Path, folder: Path) -> None:
    """What was copied is what the disk holds after the power is back; the machine has another boot id."""
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    _rewrite(folder, lambda payload: {**payload, "boot": OTHER_BOOT})


def as_of_another_version(folder: Path, dice: random.Random) -> None:
    """Take out what an older version did not know, and put in what only a newer one knows."""
    _rewrite(folder, lambda payload: _other_version(payload, dice))


def _rewrite(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Have `change` make a new payload of that of each slot that is whole."""
    for name in SLOTS:
        try:
            sealed = unseal((folder / name).read_bytes())
        except Exception:  # noqa: BLE001, S112 - a slot that was being written stays as it is
            continue
        if sealed is not None:
            payload = msgspec.json.encode(change(msgspec.json.decode(sealed.payload)))
            (folder / name).write_bytes(seal(Sealed(sealed.sequence, payload)))


def _other_version(payload: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    older = dice.random() < 0.5
    found = {key: value for key, value in payload.items() if not (older and key == "version")}
    found["devices"] = [_other_row(row, older=older, leave_out=OLDER_DEVICE) for row in payload.get("devices", [])]
    for key in ("processes", "runs", "users"):
        rows = [_other_row(row, older=older, leave_out=("ended_s",)) for row in payload.get(key, [])]
        found[key] = [{**row, "parts": [_other_part(part, older=older) for part in row["parts"]]} for row in rows]
    for key in ("other", "folded"):
        found[key] = [_other_part(part, older=older) for part in payload.get(key, [])]
    return found if older else {**found, "carbon": {"g_per_kwh": [1, None, {"x": "y"}]}}


def _other_row(row: dict[str, Any], *, older: bool, leave_out: tuple[str, ...]) -> dict[str, Any]:
    if older:
        return {key: value for key, value in row.items() if key not in leave_out}
    return {**row, "slice": [1, 2], "colour": None}


def _other_part(part: list[Any], *, older: bool) -> list[Any]:
    return part[:PART_FIELDS] if older else [*part, *WHOLE_PART[len(part) :], 1.5, "new"]
