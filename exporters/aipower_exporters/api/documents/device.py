"""A device in the snapshot."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from aipower_exporters.api.documents.common import EnergyParts, KindName, MethodName, PowerParts
from aipower_exporters.api.documents.units import Joules, UnixSeconds, Watts, about


class Window(Struct, frozen=True, gc=False):
    """The newest time over which it was worked out where the power of the device went."""

    start_unix_s: Annotated[UnixSeconds, about("When it began.")]
    end_unix_s: Annotated[UnixSeconds, about("When it ended.")]
    mean_w: Annotated[Watts, about("Mean power.")]
    half_w: Annotated[Watts, about("Half-width of the 95 % interval of the mean.")]
    components_w: Annotated[PowerParts, about("Where the mean power went.")]


class Device(Struct, frozen=True, gc=False):
    """One thing that draws power and has its own sensor."""

    id: Annotated[str, about("Stable over restarts: the UUID of a GPU, the name of a powercap zone.")]
    kind: Annotated[KindName, about("What it is.")]
    name: Annotated[str, about("The product, for people.")]
    index: Annotated[str, about("NVML's index, or the number of the socket.")]
    parent: Annotated[str | None, about("Id of the device that it belongs to.")]
    summed: Annotated[bool, about("True where it is part of the total: kinds gpu, cpu and dram.")]
    uuid: Annotated[str, about("The UUID, empty where it has none.")]
    driver: Annotated[str, about("Version of the driver, empty where it is not known.")]
    method: Annotated[MethodName, about("How its energy is found.")]
    up: Annotated[bool, about("False while its sensor fails.")]
    power_w: Annotated[Watts | None, about("Power now; null while the sensor fails.")]
    power_half_w: Annotated[Watts | None, about("Half-width of the 95 % interval of the power.")]
    power_limit_w: Annotated[Watts | None, about("The most that it may draw; null where it does not say.")]
    idle_w: Annotated[Watts | None, about("Idle power that was learned; null before.")]
    energy_j: Annotated[Joules, about("Energy since the counters began.")]
    energy_half_j: Annotated[Joules | None, about("Half-width of the 95 % interval of the energy.")]
    components_j: Annotated[EnergyParts, about("Where the energy went.")]
    seen_unix_s: Annotated[UnixSeconds, about("When its sensor was last up.")]
    window: Annotated[Window | None, about("Null while the sensor fails and where there has been none of late.")]
