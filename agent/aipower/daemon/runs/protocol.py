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


Request = Open | Start | Mark | End | Runs | Read

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
