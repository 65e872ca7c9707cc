"""A network of its own: a hub and nodes, each in a network namespace, joined by pairs of virtual Ethernet cards."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

CLONE_NEWNET = 0x40000000
T = TypeVar("T")


def need_namespaces() -> None:
    """Skip the test where this process may not make network namespaces.

    A container runs as root without the right to (CAP_NET_ADMIN, CAP_SYS_ADMIN), CI's may be one: the kernel's answer
    decides, and not who we are. A missing program is another matter: CI must have it.
    """
    if shutil.which("ip") is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("ip is not installed: apt-get install iproute2")
    name = f"{_unique_name()}-probe"
    try:
        _ip("netns", "add", name)
        _ip("-n", name, "link", "add", "one", "type", "veth", "peer", "name", "other")
    except RuntimeError as error:
        pytest.skip(f"network namespaces cannot be made here: {error}")
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=30, check=False)


def namespaces() -> list[str]:
    """The names of those that there are."""
    return [line.split()[0] for line in _ip("netns", "list").splitlines() if line]


@dataclass(frozen=True, slots=True)
class Network:
    """The hub reaches every node, and no node another; nothing of it is seen outside."""

    name: str
    nodes: int

    @property
    def hub(self) -> str:
        """The namespace of the hub."""
        return f"{self.name}-hub"

    def node(self, number: int) -> str:
        """The namespace of a node."""
        return f"{self.name}-n{number}"

    def address(self, number: int) -> str:
        """Where the hub finds a node."""
        return f"10.99.{number}.2"

    def inside(self, namespace: str, command: Sequence[str]) -> list[str]:
        """`command` as it runs in a namespace; its pid is that of what is started."""
        return ["ip", "netns", "exec", namespace, *command]

    def cut(self, number: int) -> None:
        """Pull the cable of a node: the hub sees no more than that nobody answers."""
        _ip("-n", self.node(number), "link", "set", "eth", "down")

    def join(self, number: int) -> None:
        """Put the cable back."""
        _ip("-n", self.node(number), "link", "set", "eth", "up")

    def set_up(self) -> None:
        """Make all of it."""
        _ip("netns", "add", self.hub)
        _ip("-n", self.hub, "link", "set", "lo", "up")
        for number in range(self.nodes):
            node, card = self.node(number), f"to{number}"
            _ip("netns", "add", node)
            pair = ("type", "veth", "peer", "name", "eth", "netns", node)
            _ip("link", "add", card, "netns", self.hub, *pair)
            for namespace, link, host in ((self.hub, card, 1), (node, "eth", 2)):
                _ip("-n", namespace, "address", "add", f"10.99.{number}.{host}/30", "dev", link)
                _ip("-n", namespace, "link", "set", link, "up")
            _ip("-n", node, "link", "set", "lo", "up")

    def tear_down(self) -> None:
        """Remove what there is of it; the cards go with their namespaces."""
        for namespace in namespaces():
            if namespace.startswith(f"{self.name}-"):
                _ip("netns", "del", namespace)


@contextlib.contextmanager
def network(nodes: int) -> Iterator[Network]:
    """A network of this process, removed whatever happens; end what runs in it first."""
    need_namespaces()
    made = Network(_unique_name(), nodes)
    try:
        made.set_up()
        yield made
    finally:
        made.tear_down()


@contextlib.contextmanager
def visitor(namespace: str) -> Iterator[Callable[[Callable[[], T]], T]]:
    """Calls functions within a namespace, on a thread of its own that lives there."""
    with ThreadPoolExecutor(1, initializer=_enter, initargs=(Path("/run/netns") / namespace,)) as thread:
        yield lambda function: thread.submit(function).result()


def _unique_name() -> str:
    return f"aipower-{os.getpid()}-{secrets.token_hex(3)}"


def _enter(namespace: Path) -> None:
    with namespace.open() as opened:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(opened.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
