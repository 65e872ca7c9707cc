"""What goes over the agent's socket: one JSON object per line each way, and after a header the bytes it announces.

A run is one connection: `open` before the command starts, `start` right after, `end` once it has ended, and then the
record comes. A connection that breaks ends its run. Fields may be added; an agent ignores those that it does not know.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_LINE_BYTES = 1 << 20
"""The longest command line that is sent is far shorter; a client with a longer one measures by itself."""
SHORT_LINE_BYTES = 1 << 14
"""All but the command line of a run that has begun is far shorter. Each connection may keep some of these waiting."""
MAX_WORDS = 20_000
VERSION = 1

Text = Annotated[str, msgspec.Meta(max_length=MAX_LINE_BYTES)]
Name = Annotated[str, msgspec.Meta(max_length=512)]
Pid = Annotated[int, msgspec.Meta(gt=0, le=1 << 22)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 60)]
Word = Annotated[str, msgspec.Meta(max_length=4096)]
Words = Annotated[list[Word], msgspec.Meta(max_length=300)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]


class Open(msgspec.Struct, frozen=True, tag_field="do", tag="open"):
    """A command is about to be started."""

    name: Name = ""


class Start(msgspec.Struct, frozen=True, tag_field="do", tag="start"):
    """It runs; `started_s` is CLOCK_MONOTONIC."""

    pid: Pid
    started_s: Seconds
    ignore: Annotated[list[Pid], msgspec.Meta(max_length=16)] = []
    """Children of the caller that are no part of the run."""


class Mark(msgspec.Struct, frozen=True, tag_field="do", tag="mark"):
    """What the programs of the run tell of their phases: lines as in aipower.record.phases.lines."""

    lines: Annotated[str, msgspec.Meta(max_length=SHORT_LINE_BYTES)]


class End(msgspec.Struct, frozen=True, tag_field="do", tag="end"):
    """It has ended; the rest is what only its parent knows."""

    ended_s: Seconds
    started_unix_s: Seconds
    exit_code: Annotated[int, msgspec.Meta(ge=0, le=255)]
    cpu_s: Seconds
    max_rss_bytes: Count
    survivors: Count
    command: Annotated[list[Text], msgspec.Meta(max_length=MAX_WORDS)]
    record: bool = True
    report: bool = True
    verbose: bool = False
    metrics: Words = []
    """These and the following are as in aipower.record.extras.Words and aipower.record.page.Page."""
    work: Words = []
    job: Words = []
    leader: bool = True
    series: Name = ""
    footprint: Words = []
    columns: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    color: bool = False
    glyphs: bool = True
    saved: bool = False


class Runs(msgspec.Struct, frozen=True, tag_field="do", tag="runs"):
    """Which runs are being measured, and what they have used so far? The caller's own; root's question means all."""


class Read(msgspec.Struct, frozen=True, tag_field="do", tag="read"):
    """What has this run used so far?"""

    run: Name


class Jobs(msgspec.Struct, frozen=True, tag_field="do", tag="jobs"):
    """What have jobs used so far? The caller's own; root and the agent's own user are told of all.

    The answer is `JobsTold`.
    """

    system: Name = ""
    """Only jobs of this system; empty for all."""
    job: Name = ""
    """Only the job with this id; empty for all."""


class Settle(msgspec.Struct, frozen=True, tag_field="do", tag="settle"):
    """Close all windows now: what is told of jobs afterwards has all that they used until now."""


Request = Open | Start | Mark | End | Runs | Read | Jobs | Settle


class DeviceTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device of the node."""

    device: str
    """Its stable id."""
    kind: str
    index: str = ""
    method: str = "counter"
    simulated: bool = False


class PartTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a job has used of one device."""

    device: str
    energy_uj: int = 0
    error_uj: float = 0.0
    """Half-width of the 95 % interval."""
    variance_uj2: float = 0.0
    """Of what is independent from device to device; the rest of the error devices of a kind may share."""
    held_s: float = 0.0
    unused_s: float = 0.0


class JobTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the processes of one user in one step of a job have used."""

    system: str
    job: str = ""
    step: str = ""
    user: str = ""
    name: str = ""
    team: str = ""
    account: str = ""
    partition: str = ""
    namespace: str = ""
    pod: str = ""
    gpus: list[str] = []
    since_unix_s: float | None = None
    ended: bool = False
    """All of its processes are known to have ended."""
    parts: list[PartTold] = []


class JobsTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to `Jobs`."""

    ok: bool
    at_unix_s: float = 0.0
    """When the figures were taken."""
    host: str = ""
    boot: str = ""
    version: str = ""
    since_unix_s: float | None = None
    devices: list[DeviceTold] = []
    jobs: list[JobTold] = []
    error: str = ""
    """Why there is no answer."""


_DECODER: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


class MalformedError(ValueError):
    """A line that is no request; the message is for whoever sent it."""


def decode(line: bytes) -> Request:
    """The request of one line.

    Raises:
        MalformedError: It is none.
    """
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(str(error)) from error


def header(**fields: object) -> bytes:
    """One line of an answer."""
    return msgspec.json.encode(fields) + b"\n"


def line_of(told: msgspec.Struct) -> bytes:
    """An answer of its own kind, as one line."""
    return msgspec.json.encode(told) + b"\n"
