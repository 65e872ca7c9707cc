"""Whether the agent does its work."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Status = Literal["ok", "starting", "stale", "stopping"]


class Health(Struct, frozen=True):
    """Whether the agent does its work."""

    ok: bool
    reason: str = ""
    """Why not, for people; empty while all is well."""
    sample_age_s: float | None = None
    """Age of the newest sample; None before the first."""
    starting: bool = False
    """True while the first sample is still to come and nothing is wrong with that."""
    stopping: bool = False
    """True once it has been told to end."""

    @property
    def status(self) -> Status:
        """In one word."""
        return "ok" if self.ok else "stopping" if self.stopping else "starting" if self.starting else "stale"


STARTING = Health(ok=False, reason="the sensors are being looked for", starting=True)
STOPPING = Health(ok=False, reason="the agent ends", stopping=True)
"""What readiness says from the signal on, while the pages are still there."""
