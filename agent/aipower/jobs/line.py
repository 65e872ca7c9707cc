"""A job's energy as one line, for a comment in a scheduler's books.

aipower: 1234567 J (gpu 1200000, cpu 30000, dram 4567) +-61728 J, gpu held 7200 s unused 12 s, 2 of 2 nodes, counter
"""

from __future__ import annotations

from aipower.jobs.document import Document
from aipower.jobs.sums import methods_of, summed
from aipower.model import SUMMED_KINDS

WHOLE_J = 1000.0
"""From here on whole joules are fine enough."""


def line_of(document: Document, nodes: int) -> str:
    """The sum of all jobs in `document`, which ran on `nodes` nodes; lower case, as `sacctmgr` makes it that."""
    uses = [use for job in document.jobs for use in job.devices]
    whole = summed(uses, document.measured)
    simulated = ", simulated" if document.simulated else ""
    ending = f"{len(document.nodes)} of {nodes} nodes"
    if whole.energy_j.total is None or not document.jobs:
        return f"aipower: no energy of it is known, {ending}"
    fine = whole.energy_j.total < WHOLE_J
    parts = ", ".join(
        f"{kind} {_number(energy_j, fine=fine)}"
        for kind in SUMMED_KINDS
        if (energy_j := getattr(whole.energy_j, kind)) is not None
    )
    held = f"gpu held {whole.held_s:.0f} s unused {whole.unused_s:.0f} s, " if whole.held_s else ""
    method = "+".join(methods_of(uses)) or "counter"
    energy, half = _number(whole.energy_j.total, fine=fine), _number(whole.half_width_j, fine=fine)
    return f"aipower: {energy} joules ({parts}) +-{half}, {held}{ending}, {method}{simulated}"


def _number(value: float, *, fine: bool) -> str:
    return f"{value:.3f}" if fine else f"{value:.0f}"
