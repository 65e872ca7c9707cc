"""What several documents have."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from aipower_exporters.api.documents.units import Joules, Watts, about

SCHEMA_TEXT = about("Name and version of this form; fields may be added, none changes its meaning.")
NUMBER_TEXT = about("Number of the snapshot that this was made of; a later one of the same agent is higher.")
AT_TEXT = about("When the snapshot was taken.")
SINCE_TEXT = about("When the account began at 0; null where nobody has noted it.")
ENERGY_TEXT = about("Energy used since the account began.")

MethodName = Literal["counter", "integrated", "estimated"]
KindName = Literal["gpu", "cpu", "dram", "module", "node", "psys"]


class EnergyParts(Struct, frozen=True, gc=False):
    """Where an energy went; the four sum to it exactly."""

    idle: Annotated[Joules, about("What the bare devices draw.")]
    context: Annotated[Joules, about("What open GPU contexts add.")]
    active: Annotated[Joules, about("What work adds.")]
    unattributed: Annotated[Joules, about("What cannot be assigned to a process.")]


class PowerParts(Struct, frozen=True, gc=False):
    """Where a mean power went; the four sum to it but for rounding."""

    idle: Annotated[Watts, about("What the bare devices draw.")]
    context: Annotated[Watts, about("What open GPU contexts add.")]
    active: Annotated[Watts, about("What work adds.")]
    unattributed: Annotated[Watts, about("What cannot be assigned to a process.")]
