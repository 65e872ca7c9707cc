"""All that goes on around an agent: jobs and processes that come and go, reloads good and bad, clients that hang."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Self

from benchmarks.campaign.node import Node

STEP_S = 0.07
"""Between two jobs: in ten minutes each GPU has had a thousand, which is as many as anything remembers."""
CHURN = "while :; do sleep 0.02; (: & wait); done"
"""Some 60 processes a second that live for a moment."""
SIGHUP_EACH_S, CLIENT_EACH_S = 7.0, 1.0
CLIENTS = 20
CONFIGS = (
    "max_processes = 40\n",
    "max_processes = 200\nretention_s = 15\n",
    "max_processes = -1\n",
    "interval_s = [\n",
)
HALF = b"GET /metrics HTTP/1.1\r\nX-Slow: "


@dataclass
class Bustle:
    """Goes on, from a thread, until it is left."""

    node: Node
    dice: random.Random
    done: Counter[str] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _clients: deque[socket.socket] = field(default_factory=deque)
    _churn: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._churn = subprocess.Popen(["sh", "-c", CHURN])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._churn is not None:
            self._churn.kill()
            self._churn.wait()
        while self._clients:
            self._clients.popleft().close()

    def _run(self) -> None:
        jobs, hup_s = sum(len(gpu.processes) for gpu in self.node.machine.gpus), time.monotonic()
        client_s = hup_s
        while not self._over.wait(STEP_S):
            now_s = time.monotonic()
            self.node.jobs.replace(self.dice.randrange(jobs))
            self.done["jobs replaced"] += 1
            if now_s >= hup_s:
                hup_s = now_s + SIGHUP_EACH_S
                self._reload()
            if now_s >= client_s:
                client_s = now_s + CLIENT_EACH_S
                self._bother()

    def _reload(self) -> None:
        if self.node.agent is not None:
            self.node.config.write_text(self.dice.choice(CONFIGS))
            self.node.agent.send_signal(signal.SIGHUP)
            self.done["reloads"] += 1

    def _bother(self) -> None:
        """A client that sends half a request, and one that leaves long after."""
        try:
            client = socket.create_connection(("127.0.0.1", self.node.port), timeout=5)
            client.sendall(HALF)
        except OSError:
            return
        self._clients.append(client)
        self.done["half requests"] += 1
        if len(self._clients) > CLIENTS:
            self._clients.popleft().close()
