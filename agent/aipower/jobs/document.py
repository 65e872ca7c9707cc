"""What jobs have used, on one node or on several: schema `aipower.jobs/1`. Joules, seconds, Unix seconds."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct, field

from aipower.errors import AipowerError
from aipower.model import Kind
from aipower.runrecord import Energies, Intervals

SCHEMA = "aipower.jobs/1"


class DeviceUse(Struct, frozen=True):
    """What a job has used of one device."""

    device: str
    kind: Kind
    index: str
    method: str
    """How the device's energy is found: `counter`, `integrated` or `estimated`."""
    energy_j: float
    half_width_j: float
    """Of the 95 % interval."""
    independent_j: float
    """Half-width of what is independent from device to device; the rest, devices of a kind may share."""
    held_s: float = 0.0
    unused_s: float = 0.0


class JobRow(Struct, frozen=True):
    """What the processes of one user in one step of a job have used on one node."""

    node: str
    system: str
    job: str
    step: str
    user: str
    name: str = ""
    team: str = ""
    account: str = ""
    partition: str = ""
    namespace: str = ""
    pod: str = ""
    gpus: tuple[str, ...] = ()
    since_unix_s: float | None = None
    """When the account began at 0."""
    ended: bool = False
    energy_j: Energies = field(default_factory=Energies)
    interval_j: Intervals = field(default_factory=Intervals)
    held_s: float = 0.0
    """Seconds for which it held GPUs, summed over them."""
    unused_s: float = 0.0
    devices: tuple[DeviceUse, ...] = ()


class NodeDevice(Struct, frozen=True):
    """A device of a node."""

    device: str
    kind: Kind
    index: str
    method: str
    simulated: bool = False


class Node(Struct, frozen=True):
    """Who has told it."""

    node: str
    host: str
    boot: str
    version: str
    at_unix_s: float
    since_unix_s: float | None = None
    settled: bool = False
    """All that was used until `at_unix_s` is in the figures; else the last seconds may be missing."""
    devices: tuple[NodeDevice, ...] = ()

    @property
    def measured(self) -> frozenset[Kind]:
        """The kinds of its devices."""
        kinds: Iterable[Kind] = (device.kind for device in self.devices)
        return frozenset(kinds)


class Document(Struct, frozen=True):
    """All of it."""

    schema: str
    nodes: tuple[Node, ...]
    jobs: tuple[JobRow, ...]

    @property
    def measured(self) -> frozenset[Kind]:
        """The kinds of devices that any of the nodes has."""
        return frozenset[Kind]().union(*(node.measured for node in self.nodes))

    @property
    def simulated(self) -> bool:
        """True where a sensor of any node is a simulated one."""
        return any(device.simulated for node in self.nodes for device in node.devices)


_DECODER = msgspec.json.Decoder(Document)


def to_json(document: Document) -> bytes:
    """The document on several lines."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def from_json(text: bytes, source: str) -> Document:
    """The document of `source`. Fields that are not known are left out.

    Raises:
        AipowerError: It is none.
    """
    try:
        document = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AipowerError(f"{source} is not what `aipower jobs --json` has written: {error}") from error
    if document.schema != SCHEMA:
        raise AipowerError(f"{source} has the schema {document.schema!r}; this aipower reads {SCHEMA}")
    return document
