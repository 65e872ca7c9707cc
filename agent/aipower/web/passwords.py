"""Passwords against bcrypt hashes, so that neither a scrape each second nor a guesser costs the machine much."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Mapping
from queue import SimpleQueue

from msgspec import Struct

from aipower.web.hashes import hash_for, matches

MAX_BYTES = 72
"""Bcrypt looks at no more of a password."""
MAX_WAITING = 16
"""Checks that wait for their turn; a check takes some 60 ms at the usual cost of 10."""
EACH_WAITING = 2
"""Of them, those of one address: a guesser does not take the places of all."""
MAX_BAD = 256
"""Wrong passwords that are remembered: a scraper with an old one asks the same thing each second."""
REST_RATIO = 3.0
"""After a wrong password the thread rests this many times as long as it took: guessing gets a quarter of a core."""


class TooManyChecksError(Exception):
    """So many passwords wait for their turn that this one is not checked."""


class _Job(Struct, frozen=True):
    digest: bytes
    users: Mapping[str, bytes]
    name: str
    password: bytes
    client: str


class Passwords:
    """Checks passwords, one at a time, on a thread of its own. Its methods belong to one event loop."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._good: dict[str, bytes] = {}
        self._bad: OrderedDict[bytes, None] = OrderedDict()
        self._waiting: dict[bytes, asyncio.Future[bool]] = {}
        self._clients: Counter[str] = Counter()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    async def right(self, users: Mapping[str, bytes], name: str, password: bytes, client: str) -> bool:
        """Whether `password` is that of `name`, one of `users`. A wrong name takes as long as a wrong password.

        `client` is the address that asks.

        Raises:
            TooManyChecksError: Ask again later.
        """
        digest = self._digest(name, hash_for(users, name), password[:MAX_BYTES])
        if name in users and self._good.get(name) == digest:
            return True
        if digest in self._bad:
            self._bad.move_to_end(digest)
            return False
        if digest not in self._waiting:
            self._submit(_Job(digest, users, name, password[:MAX_BYTES], client))
        return await asyncio.shield(self._waiting[digest])

    def close(self) -> None:
        """End the thread after the check under way. Safe to call twice; no check may follow."""
        self._closed.set()
        self._jobs.put(None)

    def _digest(self, name: str, hashed: bytes, password: bytes) -> bytes:
        """Stands for a password in memory. Its key is made up at each start, so that nobody can look for one."""
        digest = hashlib.blake2b(key=self._key, digest_size=32)
        for part in (name.encode(errors="surrogateescape"), hashed, password):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()

    def _submit(self, job: _Job) -> None:
        if len(self._waiting) >= MAX_WAITING or self._clients[job.client] >= EACH_WAITING:
            raise TooManyChecksError
        loop = asyncio.get_running_loop()
        if self._thread is None:
            thread = threading.Thread(target=self._work, args=(loop,), name="aipower-passwords", daemon=True)
            thread.start()
            self._thread = thread
        self._waiting[job.digest] = loop.create_future()
        self._clients[job.client] += 1
        self._jobs.put(job)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None and not self._closed.is_set():
            began_s = time.monotonic()
            right = matches(job.users, job.name, job.password)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for the answer
                loop.call_soon_threadsafe(self._done, job, right)
            if not right:
                self._closed.wait(REST_RATIO * (time.monotonic() - began_s))

    def _done(self, job: _Job, right: bool) -> None:  # noqa: FBT001 - the verdict
        if right:
            self._good[job.name] = job.digest
        else:
            self._bad[job.digest] = None
            while len(self._bad) > MAX_BAD:
                self._bad.popitem(last=False)
        self._clients -= Counter({job.client: 1})
        waiting = self._waiting.pop(job.digest)
        if not waiting.done():
            waiting.set_result(right)
