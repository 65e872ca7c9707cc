"""What went wrong in any part of a merged run, and what its parts together fall short of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aipower.merge.devices import Account
from aipower.merge.views import Naming, View
from aipower.runrecord import FaultLine, RunRecord

SHOWN_RANKS = 8
OWN = frozenset(("partial", "missing_ranks"))
"""Faults of a merge itself: found anew when its result is merged on."""


def merged_faults(
    nodes: Mapping[str, Sequence[View]],
    accounts: Mapping[str, Sequence[Account]],
    run_s: tuple[float, float],
    naming: Naming,
) -> list[FaultLine]:
    """Those of all parts, each once for a device, and those of the merge; `run_s` is start and length of the run."""
    started_s, wall_s = run_s
    found: dict[tuple[str | None, str, str], FaultLine] = {}
    for views in nodes.values():
        for view in views:
            for fault in _of_view(view, started_s, naming):
                key = (fault.device, fault.reason, "" if fault.device else fault.detail)
                found[key] = _joined(found[key], fault) if key in found else fault
    flaws = [fault for node, of_node in accounts.items() for fault in _flaws(node, of_node, wall_s)]
    faults = [*found.values(), *flaws]
    return sorted(faults, key=lambda fault: (fault.first_s, fault.device or "", fault.reason, fault.detail))


def _flaws(node: str, accounts: Sequence[Account], wall_s: float) -> Iterable[FaultLine]:
    """What the node's devices fall short of; what several have in common is one fault of the node."""
    devices: dict[tuple[str, str], list[str]] = {}
    for account in accounts:
        for flaw in account.flaws:
            devices.setdefault((flaw.reason, flaw.detail), []).append(account.record.device)
    for (reason, detail), of_flaw in devices.items():
        if len(of_flaw) == 1:
            yield FaultLine(of_flaw[0], reason, 0.0, wall_s, 1, detail)
        else:
            yield FaultLine(None, reason, 0.0, wall_s, 1, f"{len(of_flaw)} devices of {node}: {detail}")


def _of_view(view: View, started_s: float, naming: Naming) -> Iterable[FaultLine]:
    offset_s = view.start_s - started_s
    many = len(view.record.nodes) > 1
    for fault in view.record.faults:
        if fault.reason in OWN and view.record.merged_from:
            continue
        span_s = fault.first_s + offset_s, fault.last_s + offset_s
        if fault.device is None:
            # In a record of many nodes the detail tells the node already.
            detail = f"{view.node}: {fault.detail}" if naming.many and not many else fault.detail
            yield FaultLine(None, fault.reason, *span_s, fault.count, detail)
        elif fault.device.startswith(view.prefix):
            device = naming.device(view.node, fault.device.removeprefix(view.prefix))
            yield FaultLine(device, fault.reason, *span_s, fault.count, fault.detail)


def _joined(one: FaultLine, other: FaultLine) -> FaultLine:
    """The same fault as two ranks saw it: how often it was is what the one tells that saw it most."""
    first = min(one, other, key=lambda fault: (fault.first_s, fault.detail))
    return FaultLine(
        one.device,
        one.reason,
        first.first_s,
        max(one.last_s, other.last_s),
        max(one.count, other.count),
        first.detail,
    )


def missing_ranks(records: Sequence[RunRecord], nodes: Mapping[str, Sequence[View]], wall_s: float) -> list[FaultLine]:
    """A fault where a job that has said how many ranks it has, in one step, has left records of fewer."""
    jobs = [record.job for record in records]
    if any(job is None or job.ranks is None for job in jobs):
        return []
    steps = {(job.step, job.ranks) for job in jobs if job is not None and job.ranks is not None}
    seen = {rank for views in nodes.values() for view in views for rank in view.ranks}
    if len(steps) != 1 or not seen:
        return []
    _, ranks = steps.pop()
    missing = sorted(set(range(ranks)) - seen)
    if not missing:
        return []
    shown = ", ".join(str(rank) for rank in missing[:SHOWN_RANKS]) + (", ..." if len(missing) > SHOWN_RANKS else "")
    plural = "s" if len(missing) > 1 else ""
    detail = f"no record of rank{plural} {shown} of {ranks}: killed, not merged, or on a node without a shared folder"
    return [FaultLine(None, "missing_ranks", 0.0, wall_s, 1, detail)]
