"""systemd's units and slices in the path of a control group.

From the top a path has slices, then a unit; what is below the unit is the unit's own affair, save that of a user's
manager (`user@1000.service`), where slices and a unit follow again. A systemd that does not own the top of the tree
(WSL 2: `/wsl-user/distro-N/systemd/`) has its slices below; those below a container are of another machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")
"""What systemd allows in the name of a unit, and how long it may be."""
_UNIT_ENDS = (".service", ".scope", ".socket", ".mount", ".swap")
"""The kinds of units that have processes."""
_CONTAINER = re.compile(r"[0-9a-f]{64}")
_MANAGER = re.compile(r"user@[0-9]+\.service")


class Standing(Struct, frozen=True):
    """Where systemd keeps a process."""

    unit: str = ""
    slice: str = ""
    """The innermost."""

    @property
    def service(self) -> str:
        """The unit where it is a service that somebody set up, else empty: sessions and scopes are made on the fly."""
        ours = self.unit.endswith(".service") and not _MANAGER.fullmatch(self.unit)
        return self.unit if ours else ""


def standing_in(names: Sequence[str]) -> Standing:
    """The unit and the slice of a path of these `names`; both empty where systemd has not made it."""
    unit = slice_ = ""
    for name in (_unescaped(name) for name in names):
        if _CONTAINER.fullmatch(name) or not _NAME.fullmatch(name):
            break
        if name.endswith(".slice"):
            slice_ = name
        elif name.endswith(_UNIT_ENDS):
            unit = name
            if not _MANAGER.fullmatch(name):
                break
        elif slice_:
            break
    return Standing(unit, slice_)


def _unescaped(name: str) -> str:
    """The name without the `_` that systemd puts before one that looks like a file of the kernel's, or like this."""
    return name.removeprefix("_")
