"""Makes checks, each in a thread of its own, so that one that hangs or breaks costs its own line only."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import chain, islice
from typing import Final

from aipower.doctor.finding import Check, Finding, Result
from aipower.doctor.text import one_line
from aipower.seams import Clock, SystemClock

REPORT: Final = "this is a fault of aipower: report it with the output of `aipower doctor --json`"
SYSTEM_CLOCK: Final = SystemClock()


def run_checks(checks: Sequence[Check], clock: Clock = SYSTEM_CLOCK) -> list[Finding]:
    """One finding for each check and for those that follow from it, in that order. Raises nothing.

    All start at once, then all that follow from them: a hung driver costs one limit, not one for each GPU.
    """
    return list(chain.from_iterable(_groups(checks, clock)))


def _groups(checks: Sequence[Check], clock: Clock) -> list[list[Finding]]:
    """For each check its own finding, then those that follow."""
    attempts = [_Attempt(check, clock) for check in checks]
    results = [attempt.wait() for attempt in attempts]
    followers = [follower for result in results for follower in result.then]
    below = iter(_groups(followers, clock) if followers else ())
    return [
        [attempt.finding(result), *chain.from_iterable(islice(below, len(result.then)))]
        for attempt, result in zip(attempts, results, strict=True)
    ]


class _Attempt:
    """A check under way."""

    def __init__(self, check: Check, clock: Clock) -> None:
        self._check = check
        self._clock = clock
        self._result: Result | None = None
        self._hung = False
        self._deadline_s = clock.monotonic_s() + check.limit_s
        self._thread = threading.Thread(target=self._run, name=f"doctor {check.id}", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._result = _broken(error)

    def wait(self) -> Result:
        """What it found; a failure where it broke or its time is over."""
        if self._result is None:
            self._thread.join(max(0.0, self._deadline_s - self._clock.monotonic_s()))
        # Read once: the thread may still set it between two looks.
        result = self._result
        if result is not None:
            return result
        self._hung = True
        return Result("fail", f"did not answer within {self._check.limit_s:g} s", _hang_remedy(self._check.id))

    def finding(self, result: Result) -> Finding:
        """The finding of what `wait` returned."""
        found, remedy = one_line(result.found), one_line(result.remedy)
        return Finding(self._check.id, self._check.title, result.verdict, found, remedy, self._hung)

    def _run(self) -> None:
        try:
            self._result = self._check.ask()
        except BaseException as error:  # noqa: BLE001 - whatever ends the thread must end as a line of the report
            self._result = _broken(error)


def _broken(error: BaseException) -> Result:
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - an error whose text cannot be made must not hide the others
        words = ""
    name = type(error).__name__
    return Result("fail", f"the check broke: {name}: {words}" if words else f"the check broke: {name}", REPORT)


def _hang_remedy(check: str) -> str:
    if check.startswith(("gpu", "nvidia", "nvml")):
        return "see whether `nvidia-smi` answers, and `sudo dmesg | grep -iE 'nvrm|xid'`"
    return "see `sudo dmesg | tail` and the load of the machine (`uptime`), then try again"
