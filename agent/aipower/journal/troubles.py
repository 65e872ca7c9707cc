"""Why counters cannot be kept on disk, in stable words; told once when it begins and once when it ends."""

from __future__ import annotations

import errno
import logging
from collections import deque
from typing import Literal

from msgspec import Struct, field

from aipower.model import Fault

log = logging.getLogger(__name__)

Reason = Literal["full", "readonly", "unreadable", "corrupt", "newer", "locked", "superseded", "late", "failed"]

REMEDIES: dict[Reason, str] = {
    "full": "make room on the disk; it goes on by itself",
    "readonly": "let the agent write there; it goes on by itself",
    "unreadable": "the bytes are kept aside, all counters begin at 0",
    "corrupt": "the bytes are kept aside, all counters begin at 0",
    "newer": "a newer aipower wrote them; the bytes are kept aside",
    "locked": "another agent keeps its counters there; it goes on once that one ends, or give each its own state_dir",
    "superseded": "those are kept aside, all counters began at 0 with this agent",
    "late": "the disk does not answer; it goes on by itself",
    "failed": "it is tried again and again",
}
_ERRORS: dict[int, Reason] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EFBIG: "full",
    errno.EROFS: "readonly",
    errno.EACCES: "readonly",
    errno.EPERM: "readonly",
}


class JournalError(Exception):
    """The counters cannot be read or written; `reason` is a short stable word."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


def of_os(error: OSError) -> JournalError:
    """What `error` of the file system means."""
    return JournalError(_ERRORS.get(error.errno or 0, "failed"), error.strerror or str(error))


class Troubles(Struct):
    """What is wrong with one journal now. `place` is where it is, for people."""

    place: str
    now: Reason | None = None
    _faults: deque[Fault] = field(default_factory=deque)
    """Filled by one thread and emptied by another."""

    def begin(self, error: JournalError, at_s: float) -> None:
        """Something is wrong; what is wrong already is no news."""
        if error.reason == self.now:
            return
        self.now = error.reason
        self.note(error, at_s)

    def note(self, error: JournalError, at_s: float) -> None:
        """Something was wrong and is over."""
        log.warning("counters in %s: %s (%s); %s", self.place, error.reason, error, REMEDIES[error.reason])
        self._faults.append(Fault(None, at_s, f"journal_{error.reason}", retry=True, detail=str(error)))

    def end_with(self, error: JournalError, at_s: float) -> None:
        """All is well, but something was lost on the way."""
        self.now = None
        self.note(error, at_s)

    def end(self) -> None:
        """All is well."""
        if self.now is not None:
            log.warning("counters in %s are kept again", self.place)
            self.now = None

    def take_faults(self) -> list[Fault]:
        """The faults since the last call."""
        return [self._faults.popleft() for _ in range(len(self._faults))]
