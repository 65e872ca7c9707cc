"""Power at full rate."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from aipower_exporters.api.documents.units import UnixSeconds, Watts, about


class Power(Struct, frozen=True):
    """What each tick has read, as far back as that is kept (about five minutes)."""

    at_unix_s: Annotated[list[UnixSeconds], about("When each tick read the sensors.")]
    power_w: Annotated[
        dict[str, list[Watts | None]],
        about("By id of the device, as long as at_unix_s; null where the device was down or is not known."),
    ]
    next: Annotated[UnixSeconds, about("Give it back as `after` to get what came since.")]
