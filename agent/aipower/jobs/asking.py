"""What the agent of this node knows of jobs, asked over its socket."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from typing import Self, TypeVar

import msgspec
from msgspec import Struct

from aipower.calibration.entry import Z_95
from aipower.daemon.runs.protocol import Jobs, JobsTold, JobTold, Settle
from aipower.errors import AipowerError
from aipower.jobs.document import SCHEMA, DeviceUse, Document, JobRow, Node, NodeDevice
from aipower.jobs.sums import summed
from aipower.model import UJ_PER_J, Kind
from aipower.run.link import candidates

MOST_BYTES = 64 << 20
CHUNK = 1 << 16

_T = TypeVar("_T", bound=msgspec.Struct)


class Settled(msgspec.Struct, frozen=True):
    """The answer to `Settle`."""

    ok: bool
    settled: bool = False
    error: str = ""


class Question(Struct, frozen=True):
    """What is asked of whom."""

    socket: str | None = None
    """Path of the agent's socket; None for the usual places."""
    system: str = ""
    job: str = ""
    node: str = ""
    """What the node is called; its host name where this is empty."""
    settle: bool = False
    timeout_s: float = 5.0
    """For all of it."""


def ask(question: Question, environ: Mapping[str, str]) -> Document:
    """The jobs that the agent tells us of.

    Raises:
        AipowerError: There is no agent, it does not answer in time or it refuses.
    """
    deadline_s = time.monotonic() + question.timeout_s
    with Conversation(_connected(question.socket, environ, deadline_s), deadline_s) as agent:
        settled = question.settle and agent.ask(Settle(), Settled).settled
        told = agent.ask(Jobs(question.system, question.job), JobsTold)
    return _document(told, question.node or told.host, settled=settled)


class Conversation:
    """Questions and answers of one line each, until the deadline."""

    def __init__(self, connection: socket.socket, deadline_s: float) -> None:
        self._connection = connection
        self._deadline_s = deadline_s
        self._received = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._connection.close()

    def ask(self, question: msgspec.Struct, answer: type[_T]) -> _T:
        """The answer to `question`.

        Raises:
            AipowerError: There is none, or a refusal.
        """
        try:
            self._connection.settimeout(self._left_s())
            self._connection.sendall(msgspec.json.encode(question) + b"\n")
            line = self._line()
        except TimeoutError as error:
            raise AipowerError("the agent does not answer; see `systemctl status aipower`") from error
        except OSError as error:
            raise AipowerError(f"the agent has left ({error.strerror or error})") from error
        return _decoded(line, answer)

    def _line(self) -> bytes:
        while b"\n" not in self._received:
            self._connection.settimeout(self._left_s())
            chunk = self._connection.recv(CHUNK)
            if not chunk or len(self._received) > MOST_BYTES:
                raise OSError(None, "in the middle of its answer")
            self._received += chunk
        line, _, rest = bytes(self._received).partition(b"\n")
        self._received = bytearray(rest)
        return line

    def _left_s(self) -> float:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def _connected(path: str | None, environ: Mapping[str, str], deadline_s: float) -> socket.socket:
    """A connection to the first agent that listens.

    Raises:
        AipowerError: None does; with the places.
    """
    places = [path] if path is not None else list(candidates(environ, os.getuid()))
    reason = "nobody listens there"
    for place in places:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(max(0.01, deadline_s - time.monotonic()))
        try:
            connection.connect(place)
        except OSError as error:
            reason = error.strerror or str(error)
            connection.close()
        else:
            return connection
    where = " or ".join(places) or "no place: AIPOWER_SOCKET is none"
    raise AipowerError(f"no agent at {where} ({reason}); start `aipower agent`, or name its socket with --socket PATH")


def _decoded(line: bytes, answer: type[_T]) -> _T:
    try:
        told = msgspec.json.decode(line, type=answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AipowerError("the agent's answer makes no sense: is it another version?") from error
    if not getattr(told, "ok", False):
        why = "".join(char if char.isprintable() else "?" for char in str(getattr(told, "error", "")))
        raise AipowerError(f"the agent refuses: {_known(why)}")
    return told


def _known(why: str) -> str:
    """An agent that is older than `aipower jobs` does not know the question."""
    return "it is too old for `aipower jobs`; update it" if "Invalid value" in why else why


def _document(told: JobsTold, node: str, *, settled: bool) -> Document:
    devices = tuple(
        NodeDevice(one.device, _kind(one.kind), one.index, one.method, one.simulated) for one in told.devices
    )
    origin = Node(node, told.host, told.boot, told.version, told.at_unix_s, told.since_unix_s, settled, devices)
    return Document(SCHEMA, (origin,), tuple(_row(job, origin) for job in told.jobs))


def _row(job: JobTold, node: Node) -> JobRow:
    devices = {device.device: device for device in node.devices}
    uses = tuple(
        DeviceUse(
            part.device,
            devices[part.device].kind,
            devices[part.device].index,
            devices[part.device].method,
            part.energy_uj / UJ_PER_J,
            part.error_uj / UJ_PER_J,
            min(part.error_uj, Z_95 * part.variance_uj2**0.5) / UJ_PER_J,
            part.held_s,
            part.unused_s,
        )
        for part in job.parts
        if part.device in devices
    )
    whole = summed(uses, node.measured)
    return JobRow(
        node.node,
        job.system,
        job.job,
        job.step,
        job.user,
        job.name,
        job.team,
        job.account,
        job.partition,
        job.namespace,
        job.pod,
        tuple(job.gpus),
        job.since_unix_s,
        job.ended,
        whole.energy_j,
        whole.interval_j,
        whole.held_s,
        whole.unused_s,
        uses,
    )


def _kind(text: str) -> Kind:
    """A kind that is not known is no part of any sum."""
    kinds: Mapping[str, Kind] = {"gpu": "gpu", "cpu": "cpu", "dram": "dram", "module": "module", "psys": "psys"}
    return kinds.get(text, "node")
