"""A record as its nodes see it: one of a single run has one node, one that is merged itself may have many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.runrecord import DeviceRecord, RunRecord

NODE_MARK = "/"
"""Between node and device in the ids of a run of many nodes; no host has it in its name."""
INDEX_MARK = ":"
UUID_LENGTH = 40
"""Of a GPU's: `GPU-` and 36 characters (RFC 9562)."""


class View(Struct, frozen=True):
    """What a record says of one node."""

    record: RunRecord
    node: str
    run_ids: tuple[str, ...]
    ranks: tuple[int, ...]
    prefix: str
    """What the record puts before the ids of the node's devices."""

    @property
    def start_s(self) -> float:
        """Unix time, as is `end_s`."""
        return self.record.started_unix_s

    @property
    def end_s(self) -> float:
        """When the record ends."""
        return self.record.started_unix_s + self.record.wall_s

    @property
    def leader(self) -> bool:
        """True where the node's whole devices are to be counted by this record."""
        return self.record.job is None or self.record.job.leader

    def rows(self) -> list[DeviceRecord]:
        """The node's devices, under the ids that they have there."""
        mine = (row for row in self.record.devices if row.device.startswith(self.prefix))
        return [replace(row, device=row.device.removeprefix(self.prefix), index=self._index(row)) for row in mine]

    def _index(self, row: DeviceRecord) -> str:
        return (
            row.index.removeprefix(f"{self.prefix.removesuffix(NODE_MARK)}{INDEX_MARK}") if self.prefix else row.index
        )


def node_of(record: RunRecord) -> str:
    """The node where a run of one process took place, as its job names it."""
    return (record.job.node if record.job else "") or record.host


def views_of(record: RunRecord) -> Iterable[View]:
    """One for each of the record's nodes."""
    many = len(record.nodes) > 1
    for node in record.nodes:
        prefix = f"{node.host}{NODE_MARK}" if many else ""
        yield View(record, node.host, tuple(node.run_ids), tuple(node.ranks), prefix)
    if not record.nodes:
        rank = record.job.rank if record.job else None
        yield View(record, node_of(record), (record.run_id,), () if rank is None else (rank,), "")


def by_node(records: Sequence[RunRecord]) -> dict[str, list[View]]:
    """All views by node, the nodes sorted by name."""
    views = [view for record in records for view in views_of(record)]
    names = _first_names(views)
    nodes: dict[str, list[View]] = {}
    for view in views:
        nodes.setdefault(names[view.node], []).append(replace(view, node=names[view.node]))
    return dict(sorted(nodes.items()))


def _first_names(views: Iterable[View]) -> dict[str, str]:
    """For each node's name the first of all its names: who has the same GPU is the same machine.

    Containers on one machine may each have a host name of their own.
    """
    names: dict[str, str] = {}
    owners: dict[str, str] = {}
    for view in sorted(views, key=lambda view: view.node):
        here = names.setdefault(view.node, view.node)
        for row in view.rows():
            if not _is_unique(row):
                continue
            there = owners.setdefault(row.device, here)
            if there != here:
                first, other = sorted((there, here))
                names = {name: first if known == other else known for name, known in names.items()}
                owners = {device: first if known == other else known for device, known in owners.items()}
                here = first
    return names


def _is_unique(row: DeviceRecord) -> bool:
    """True for NVIDIA's UUIDs; `package-0` is on every machine."""
    return row.device.startswith("GPU-") and len(row.device) == UUID_LENGTH


class Naming(Struct, frozen=True):
    """How devices are called in the merged record: as they are on one node, with the node before them on many."""

    many: bool

    def device(self, node: str, device: str) -> str:
        """The id in the merged record."""
        return f"{node}{NODE_MARK}{device}" if self.many else device

    def index(self, node: str, index: str) -> str:
        """The index, for people."""
        return f"{node}{INDEX_MARK}{index}" if self.many else index
