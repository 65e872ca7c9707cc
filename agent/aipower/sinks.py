"""The seam of the sinks: what a way out that the agent pushes to must offer, and no more.

A package offers a sink with an entry point of the group `aipower.sinks`: its name is the `kind` of the settings, and
what it names is a `SinkFactory`. The agent makes one sink for each table `[sinks.NAME]` of its settings, and gives
each a thread of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aipower.errors import AipowerError
from aipower.model import Snapshot

GROUP = "aipower.sinks"
"""The group of entry points under which factories are found."""
SECRET_WORDS = ("password", "token", "secret", "headers", "authorization", "credentials")
"""Values of options with such a word in their key are never shown, unless the key ends in `_file`."""


class SinkError(AipowerError):
    """A push has failed; the next one may work."""

    def __init__(self, reason: str, text: str) -> None:
        """`reason` is a short stable word for a label, `text` one line for people without any secret in it.

        The words in use are `refused` (nobody listens), `timeout`, `rejected` (the other side does not want it),
        `denied` (it wants other credentials or rights), `full` (there is no room), and `failed` (all else).
        """
        super().__init__(text)
        self.reason = reason


class Sink(Protocol):
    """One way out. Only one thread calls it, one call at a time."""

    def push(self, snapshot: Snapshot) -> None:
        """Deliver `snapshot`; it may take as long as the sink's own time limit.

        Raises:
            SinkError: It did not arrive.
        """
        ...

    def close(self) -> None:
        """Free what it holds, within its time limit; no call comes after it. It may be called without any push."""
        ...


class SinkFactory(Protocol):
    """Makes a sink from its settings."""

    def __call__(self, options: Mapping[str, object], name: str) -> Sink:
        """The sink `name`; `options` are its keys in the settings but `kind` and `interval_s`.

        It connects to nothing and writes nothing: `aipower config check` calls it too.

        Raises:
            UsageError: An option is wrong; one line that begins with its key, as in `url: expected http://HOST:PORT`.
        """
        ...


def is_secret(key: str) -> bool:
    """True for an option whose value must not be shown."""
    return not key.endswith("_file") and any(word in key.lower() for word in SECRET_WORDS)
