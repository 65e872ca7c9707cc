"""Mean power over equal steps of time."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from aipower_exporters.api.documents.units import Seconds, UnixSeconds, Watts, about

Column = list[Watts | None]
MEAN_TEXT = about("Mean power in each step; null where nothing is known.")
HALF_TEXT = about("Half-width of the 95 % interval of the mean.")


class HistoryLayer(Struct, frozen=True):
    """One part of the power."""

    key: Annotated[
        str, about("A component, the id of a device, BOOT-PID-TICKS of a process, or others for all further ones.")
    ]
    label: Annotated[str, about("For people.")]
    pid: Annotated[int | None, about("Where it is a process.")]
    mean_w: Annotated[Column, MEAN_TEXT]
    half_w: Annotated[Column, HALF_TEXT]


class HistoryDoc(Struct, frozen=True):
    """Mean power of some devices together; the layers sum to the mean where both are known."""

    from_unix_s: Annotated[UnixSeconds, about("From when on; later than asked where nothing older is kept.")]
    to_unix_s: Annotated[UnixSeconds, about("Until when.")]
    step_s: Annotated[Seconds, about("Length of a step.")]
    by: Annotated[Literal["component", "process", "device"], about("What the layers are.")]
    devices: Annotated[list[str], about("The devices that are summed.")]
    start_unix_s: Annotated[list[UnixSeconds], about("When each step begins; only complete steps are shown.")]
    mean_w: Annotated[Column, MEAN_TEXT]
    min_w: Annotated[Column, about("The lowest power that a tick has seen in the step.")]
    max_w: Annotated[Column, about("The highest power that a tick has seen in the step.")]
    half_w: Annotated[Column, HALF_TEXT]
    layers: Annotated[list[HistoryLayer], about("The parts.")]
    next: Annotated[UnixSeconds, about("Begin of the first step that was not complete: the next `from`.")]
