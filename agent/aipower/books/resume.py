"""Going on after a restart: what an earlier agent counted, and what the hardware counted while there was none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from aipower.books.userbook import REST
from aipower.calibration.apply import true_uj
from aipower.energy.stillness import STUCK_PERIODS, STUCK_S
from aipower.model import (
    UJ_PER_J,
    Calibration,
    Device,
    DeviceState,
    EnergyDelta,
    Fault,
    JobEnergy,
    Position,
    ProcessEnergy,
    ProcessInfo,
    Reading,
    RunEnergy,
    Snapshot,
    UserEnergy,
)
from aipower.seams import ProcessDirectory, SensorTraits

MOST_UNSEEN = 64
"""Devices that are away and yet kept. Not by time: what comes back from a long repair must not begin at 0, and
a machine that starts with a wrong date must not forget all it has."""
SUSPENDED_S = 0.5
"""CLOCK_BOOTTIME runs on while the machine is suspended, CLOCK_MONOTONIC does not; less is no suspension."""
SHORTEST_S = 1e-6
"""Length of an interval that is not known."""


class Bridge(Struct, frozen=True):
    """What an account owes to the time before a device's first reading."""

    delta: EnergyDelta | None
    """None where there is no energy."""
    fault: Fault


def positions(state: Snapshot | None, boot: str, asleep_s: float) -> Mapping[str, Position]:
    """Where the accounts of `state` stand; without counters if they are of another boot, or it slept since.

    A suspended machine's counters may begin anew, which is a wrap as far as the values tell. `asleep_s` is for how
    long it has been suspended since its boot, until now.
    """
    if state is None:
        return {}
    known = {row.device.id: row.position for row in state.devices if row.position is not None}
    if boot and state.boot == boot and abs(asleep_s - state.asleep_s) <= SUSPENDED_S:
        return known
    return {device: replace(position, at_s=0.0, counter_uj=None) for device, position in known.items()}


def idle_levels_w(state: Snapshot | None) -> Mapping[str, float]:
    """What was learned of the idle levels of the devices, by device.

    A device that a job holds without a break never shows its level again.
    """
    rows = state.devices if state else ()
    return {row.device.id: row.idle_w for row in rows if row.idle_w is not None}


def bridge(
    device: Device, traits: SensorTraits, calibration: Calibration, position: Position, reading: Reading
) -> Bridge:
    """The energy from `position` to the first `reading` after it, as far as the counter tells it.

    Never more than the device can have used; where the counter began anew, or stood still, only what was pending.
    """
    span_s = reading.at_s - position.at_s
    raw_uj = _unwatched_uj(traits, position, reading, span_s)
    if raw_uj is None:
        start_s, energy_uj = reading.at_s - SHORTEST_S, position.pending_uj
        text = "was not watched for a while; the energy of that time is missing"
    else:
        start_s, energy_uj = position.at_s, position.pending_uj + true_uj(calibration, raw_uj, span_s)
        text = f"was not watched for {span_s:.1f} s; its {energy_uj / UJ_PER_J:.1f} J of that time are unattributed"
    delta = EnergyDelta(device, start_s, reading.at_s, energy_uj) if energy_uj else None
    reason = "gap" if raw_uj is None else "unwatched"
    return Bridge(delta, Fault(device.id, reading.at_s, reason, retry=True, detail=text))


def _unwatched_uj(traits: SensorTraits, position: Position, reading: Reading, span_s: float) -> int | None:
    """What the counter has counted from `position` to `reading`, as the sensor shows it; None if it does not tell."""
    if position.counter_uj is None or reading.counter_uj is None or span_s <= 0:
        return None
    # The counter's value was published up to a period before it was found.
    most_uj = traits.max_power_w * (span_s + traits.update_period_s) * UJ_PER_J
    modulus_uj = traits.counter_modulus_uj
    energy_uj = reading.counter_uj - position.counter_uj
    if modulus_uj is not None:
        if most_uj >= modulus_uj:
            return None
        energy_uj %= modulus_uj
    still = energy_uj == 0 and span_s > max(STUCK_S, STUCK_PERIODS * traits.update_period_s)
    return energy_uj if 0 <= energy_uj <= most_uj and not still else None


def revived(state: Snapshot, now_s: float, boot: str, naming: str, directory: ProcessDirectory) -> Snapshot:
    """`state` fit for a ledger at `now_s`: who is gone has ended, names of another kind are forgotten.

    Runs and jobs have ended too, until they are registered again: nobody can tell if they go on.
    """
    devices = _kept(state)
    kept = frozenset(row.device.id for row in devices)
    living = {who for who in {row.info.id for row in state.processes if row.info} if directory.alive(who)}
    same_boot, same_names = bool(boot) and state.boot == boot, state.naming == naming

    def ended_s(row: ProcessEnergy | RunEnergy | JobEnergy) -> float:
        return min(row.ended_s, now_s) if row.ended_s is not None and same_boot else now_s

    def process(row: ProcessEnergy) -> ProcessEnergy:
        if row.info is None:
            return row
        lives = row.info.id in living
        info = row.info if same_names else _renamed(row.info, directory, lives=lives)
        return replace(row, info=info, ended_s=None if lives else ended_s(row))

    def run(row: RunEnergy) -> RunEnergy:
        return replace(row, user=row.user if same_names else "", ended_s=ended_s(row))

    def job(row: JobEnergy) -> JobEnergy:
        at_s = ended_s(row) if row.owner.job else None
        return replace(row, user=row.user if same_names else "", ended_s=at_s)

    return replace(
        state,
        devices=devices,
        processes=tuple(process(row) for row in state.processes if row.device.id in kept),
        runs=tuple(run(row) for row in state.runs if row.device.id in kept),
        folded=tuple(row for row in state.folded if row.device.id in kept),
        jobs=tuple(job(row) for row in state.jobs if row.device.id in kept),
        folded_jobs=tuple(row for row in state.folded_jobs if row.device.id in kept),
        users=tuple(_users((row for row in state.users if row.device.id in kept), same_names=same_names)),
        fault_counts={key: count for key, count in state.fault_counts.items() if key[0] in kept or not key[0]},
    )


def _kept(state: Snapshot) -> tuple[DeviceState, ...]:
    """The devices of `state` without those that are too many of the unseen ones; the longest unseen go first."""
    unseen = [row for row in state.devices if row.seen_unix_s != state.at_unix_s]
    unseen.sort(key=lambda row: row.seen_unix_s, reverse=True)
    gone = frozenset(row.device.id for row in unseen[MOST_UNSEEN:])
    return tuple(row for row in state.devices if row.device.id not in gone)


def _renamed(info: ProcessInfo, directory: ProcessDirectory, *, lives: bool) -> ProcessInfo:
    """With the user's name of now; without one for a process that has left."""
    # A directory can only describe whom it has met.
    met = lives and directory.resolve(info.id.pid) == info.id
    return replace(info, user=directory.describe(info.id).user if met else "")


def _users(rows: Iterable[UserEnergy], *, same_names: bool) -> Iterable[UserEnergy]:
    return rows if same_names else (replace(row, user=REST) for row in rows)
