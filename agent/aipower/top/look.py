"""What `aipower top` asks of whoever measures: looks at the counters, and how the measurement does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from aipower.errors import AipowerError
from aipower.model import ProcessId, Snapshot, Unavailable

Key = tuple[int, str, str, str]
"""What tells one row of processes from another: pid, name, user and run."""


class Look(Struct, frozen=True):
    """The counters at one moment."""

    at_s: float
    """When they stood so, on the monotonic clock."""
    snapshot: Snapshot
    exact: bool = True
    """True where every device's energy is of `at_s`; False where a window of it may have ended earlier."""
    indistinct: frozenset[tuple[ProcessId, str]] = frozenset()
    """Processes whose work on a device (its id) was never told from that of others."""
    limits_w: Mapping[str, float] = field(default_factory=dict)
    """The power limit of each device id that has one."""
    unavailable: Sequence[Unavailable] = ()
    """What cannot be measured, with reason and remedy."""


class Origin(Struct, frozen=True):
    """Where the figures come from."""

    kind: str
    """`self` or `agent`."""
    title: str
    """For people: `measured by this program`, `agent at http://...`."""
    short: str
    """The same where there is little room."""
    note: str = ""
    """What else people should know of the choice."""
    own_machine: bool = True
    """True where pids are those of this machine, and full command lines may be read."""


class Source(Protocol):
    """Measures, or asks who does, on threads of its own: nothing here may wait for a sensor or for a network."""

    @property
    def origin(self) -> Origin:
        """Where the figures come from."""
        ...

    @property
    def trouble(self) -> str:
        """What is wrong now, for people; empty while all is well."""
        ...

    @property
    def failure(self) -> AipowerError | None:
        """Why there will never be a look, None while there may be."""
        ...

    def start(self, wake: Callable[[], None]) -> None:
        """Begin; `wake` is called, from any thread, when there is something new."""
        ...

    def take(self) -> Sequence[Look]:
        """The looks since the last call, oldest first."""
        ...

    def stop(self) -> None:
        """End, without waiting for what hangs."""
        ...
