"""Whose a series is: the labels of the target name the node, the others are aipower's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct

from aipower.fleet.names import EXPORTED, OWN_LABELS

NODE_LABELS = ("node", "nodename", "hostname", "instance")
"""Labels that may name a node, the first that is there counts."""
UNNAMED = "node"
NO_JOB = frozenset({"none", "idle", "other"})
"""Systems without jobs."""
_OWN = frozenset(OWN_LABELS)


class Node(Struct, frozen=True, order=True):
    """A machine, as the labels of its target name it."""

    cluster: str
    name: str


class Labelling(Struct, frozen=True):
    """Which labels tell nodes and clusters."""

    node: str | None = None
    """None for the first of the usual ones."""
    cluster: str = "cluster"

    def node_of(self, labels: Mapping[str, str]) -> Node:
        """The node whose agent gave a series of these labels."""
        names = (self.node,) if self.node else NODE_LABELS
        name = next((labels[label] for label in names if labels.get(label)), UNNAMED)
        return Node(labels.get(self.cluster, ""), name)


def own_of(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that the agent gave, under the names that it gave them."""
    found = {name: value for name, value in labels.items() if name in _OWN}
    for name, value in labels.items():
        plain = name.removeprefix(EXPORTED)
        if plain != name and plain in _OWN:
            found[plain] = value
    if found.get("system") in NO_JOB:
        # Not of the page: what Prometheus calls its scrape.
        found.pop("job", None)
    return found


def shown_names(nodes: Iterable[Node]) -> dict[Node, str]:
    """What people call them: without the port where names stay apart, with the cluster if there are several."""
    every = sorted(set(nodes))
    many = len({node.cluster for node in every}) > 1
    bare = {node: (node.cluster, _host(node.name)) for node in every}
    counts = Counter(bare.values())
    return {
        node: _joined(node.cluster if many else "", host if counts[cluster, host] == 1 else node.name)
        for node, (cluster, host) in bare.items()
    }


def _joined(cluster: str, name: str) -> str:
    return f"{cluster}/{name}" if cluster else name


def _host(name: str) -> str:
    """`n1` of `n1:9877`; an address of IPv6 stands in brackets before a port."""
    host, colon, port = name.rpartition(":")
    if colon and port.isdecimal() and (":" not in host or host.endswith("]")):
        return host.strip("[]")
    return name
