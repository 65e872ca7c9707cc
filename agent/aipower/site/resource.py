"""A question over HTTP and its answer, without HTTP's machinery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct, field

NOTHING: Mapping[str, str] = MappingProxyType({})


class Question(Struct, frozen=True):
    """What a client asks with GET or HEAD."""

    path: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """The values of the parameters in the resource's path."""
    query: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Where a name stands twice, the last value."""
    query_string: str = ""
    accept: str = ""


class Answer(Struct, frozen=True):
    """What goes back."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Further ones, in lower case."""


class Resource(Struct, frozen=True):
    """What is served at one path."""

    path: str
    """As Starlette has it: `/api/v1/processes`, `/runs/{run_id}`."""
    answer: Callable[[Question], Answer]
    """Called on the server's loop: it must return within milliseconds and raise nothing but bugs."""
    version: Callable[[Question], str] | None = None
    """Names the state that the answer depends on, much faster than the answer itself: an entity tag without its
    quotes. While it stays the same a client that knows it is told so (304), and others get the answer that was made
    before. None for answers that are never the same."""
    slow: bool = False
    """True where `answer` reads files: it is called on a thread of its own."""
    counters: bool = False
    """True where the answer shows counters: what is shown must be on the disk first (decision 010)."""
    private: bool = False
    """True where more stands than on other pages: over a connection of this machine only the agent's own user gets it,
    unless clients have to say who they are (decision 026)."""
    listed: bool = False
    """True for what the index of the agent names to people."""
