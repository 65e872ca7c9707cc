"""Who measures: an agent that runs, or this program."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from aipower.errors import AipowerError, UsageError
from aipower.seams import Clock
from aipower.top.look import Source

QUICK_S = 0.5
"""The agent of this machine answers at once, or there is none."""
PATIENT_S = 5.0
"""One that was named may be far away."""


class Choice(Struct, frozen=True):
    """What was asked for."""

    url: str | None
    no_agent: bool
    sensors: str | None
    interval_s: float


def choose(choice: Choice, clock: Clock, environ: Mapping[str, str]) -> Source:
    """The source; that of an agent has been started.

    Raises:
        UsageError: The options contradict one another, or one is wrong.
        AipowerError: The agent that was named does not answer.
    """
    if choice.url is not None and (choice.no_agent or choice.sensors is not None):
        raise UsageError("--url asks an agent, --no-agent and --sensors measure here; leave one of them out")
    if choice.no_agent or choice.sensors is not None:
        return _local(choice, clock, environ)
    from aipower.top.remote import DEFAULT_URL, RemoteSource, parse_url  # noqa: PLC0415 - brings HTTP and TLS

    place = parse_url(choice.url or DEFAULT_URL)
    remote = RemoteSource(place, choice.interval_s, clock)
    remote.start(lambda: None)
    remote.tried.wait(QUICK_S if choice.url is None else PATIENT_S)
    if remote.answered.is_set():
        return remote
    remote.stop()
    why = remote.trouble or "it does not answer in time"
    if choice.url is None:
        return _local(choice, clock, environ, f"no agent at {place.host}:{place.port} ({why})")
    raise AipowerError(f"agent at {place.url}: {why}; without --url aipower top measures by itself")


def _local(choice: Choice, clock: Clock, environ: Mapping[str, str], note: str = "") -> Source:
    # The agent's pipeline and the drivers' libraries: whoever asks an agent needs none of them.
    from aipower.settings.selection import parse_selection  # noqa: PLC0415 - see above
    from aipower.top.local import LocalSource  # noqa: PLC0415 - see above

    selection = parse_selection(choice.sensors or "auto")
    return LocalSource(selection, choice.interval_s, clock, environ, note)
