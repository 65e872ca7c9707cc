"""One caller at the agent's socket."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from msgspec import Struct, field

from aipower import __version__
from aipower.daemon.runs.allowance import Allowance
from aipower.daemon.runs.desk import RefusedError, RunDesk, RunState
from aipower.daemon.runs.jobs import jobs_told
from aipower.daemon.runs.metered import Owner
from aipower.daemon.runs.protocol import (
    MAX_LINE_BYTES,
    VERSION,
    End,
    Jobs,
    MalformedError,
    Mark,
    Open,
    Read,
    Request,
    Runs,
    Settle,
    Start,
    decode,
    header,
    line_of,
)
from aipower.model import Snapshot
from aipower.record.compose import compose, new_run_id
from aipower.record.extras import Words, extras_of
from aipower.record.measured import Measured, Told
from aipower.record.page import Page
from aipower.record.report import render
from aipower.runrecord import to_json

log = logging.getLogger(__name__)

REQUEST_S = 10.0
"""A caller without a running command must say something within so long."""
ANSWER_S = 5.0
"""The sampler answers within a tick; where it hangs the caller is told to measure by itself."""
WRITE_S = 30.0
QUESTIONS_PER_S, QUESTIONS_AT_ONCE = 50.0, 100.0
"""How often one user who is not root is told how runs do; who asks more often waits."""
QUESTION_PAUSE_S = 0.1
REFUSAL_S = 0.1
"""So long a user who is not root waits to hear a refusal: else trying again and again would cost the agent a core."""
MARKS_BYTES_PER_S = 512 * 1024
"""So much of phases one run may tell the agent: some ten thousand messages a second, a tenth of a core."""
SETTLES_PER_S, SETTLES_AT_ONCE = 0.2, 4.0
"""How often one user who is not root has the windows closed: it costs a look at all processes, and reads RAPL."""
PUBLISHED_S = 0.1
"""GPUs publish their counters so often: what was used until now is in them then."""
SETTLE_S, SETTLE_PAUSE_S = 10.0, 0.02
"""Longest wait for figures in which the closed windows are."""
LONG_LINES = 4
"""So many of one user may be on their way at once: each takes memory."""

_T = TypeVar("_T")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Sampling(Protocol):
    """Brings questions to the sampler's thread."""

    def ask(self, question: Callable[[], _T]) -> Future[_T]:
        """The answer to come."""
        ...

    def snapshot(self) -> Snapshot | None:
        """The newest snapshot; None before the first."""
        ...


class Manners(Struct, frozen=True):
    """What all sessions together may cost."""

    questions: Allowance = field(default_factory=lambda: Allowance(QUESTIONS_PER_S, QUESTIONS_AT_ONCE))
    settles: Allowance = field(default_factory=lambda: Allowance(SETTLES_PER_S, SETTLES_AT_ONCE))
    long_lines: defaultdict[int, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(LONG_LINES))
    )
    """By user."""


class Session:
    """Answers one connection until it ends. All that it opened ends with it."""

    def __init__(self, owner: Owner, desk: RunDesk, sampling: Sampling, streams: Streams, manners: Manners) -> None:
        self._owner = owner
        self._desk = desk
        self._sampling = sampling
        self._reader, self._writer = streams
        self._manners = manners
        self._run = self._name = ""
        self._started = False

    async def serve(self) -> None:
        """Returns when the caller has left, was refused or says nothing sensible."""
        try:
            while (line := await self._line()) and await self._answered(line):
                pass
        except TimeoutError:
            await self._refuse("too slow")
        except asyncio.LimitOverrunError:
            await self._refuse("the line is too long")
        finally:
            if self._run:
                self._sampling.ask(functools.partial(self._desk.drop, self._run))

    async def _line(self) -> bytes:
        """The next request; empty at the end. Only a caller whose command runs may be silent, or say much."""
        try:
            async with asyncio.timeout(None if self._started else REQUEST_S):
                return await self._reader.readuntil()
        except asyncio.IncompleteReadError:
            return b""
        except asyncio.LimitOverrunError:
            if not self._started:
                raise
        async with self._manners.long_lines[self._owner.uid], asyncio.timeout(REQUEST_S):
            return await self._long_line()

    async def _long_line(self) -> bytes:
        line = b""
        while True:
            try:
                return line + await self._reader.readuntil()
            except asyncio.IncompleteReadError:
                return b""
            except asyncio.LimitOverrunError as error:
                line += await self._reader.readexactly(error.consumed)
                if len(line) > MAX_LINE_BYTES:
                    raise

    async def _answered(self, line: bytes) -> bool:
        """False where the conversation is over."""
        try:
            await self._do(decode(line))
        except (MalformedError, RefusedError) as error:
            if self._owner.uid:
                await asyncio.sleep(REFUSAL_S)
            await self._refuse(str(error))
            return False
        except (TimeoutError, ConnectionError):
            raise
        except Exception:
            log.exception("a run cannot be measured")
            await self._refuse("the agent has failed; see its log")
            return False
        return True

    async def _do(self, request: Request) -> None:
        match request:
            case Open():
                await self._open(request)
            case Start():
                await self._start(request)
            case Mark():
                await self._mark(request)
            case End():
                await self._end(request)
            case Runs():
                await self._tell(lambda: self._desk.runs(self._owner))
            case Read():
                await self._tell(lambda: [self._desk.read(self._owner, request.run)])
            case Jobs():
                await self._tell_jobs(request)
            case Settle():
                await self._settle()

    async def _open(self, request: Open) -> None:
        if self._run:
            raise RefusedError("one connection measures one run")
        self._name = request.name
        # Known before it is asked for: an answer that comes too late must not leave a run behind.
        self._run = new_run_id(time.time())
        await self._ask(lambda: self._desk.open(self._run, self._owner, request.name))
        await self._send(header(ok=True, run=self._run, protocol=VERSION, version=__version__))

    async def _start(self, request: Start) -> None:
        if not self._run or self._started:
            raise RefusedError("a run is opened first and started once")
        ignore = frozenset(request.ignore)
        await self._ask(lambda: self._desk.start(self._run, request.pid, request.started_s, ignore))
        self._started = True

    async def _mark(self, request: Mark) -> None:
        if not self._started:
            raise RefusedError("a run is started before its phases")
        lines = request.lines.encode("latin-1", errors="replace")
        await self._ask(lambda: self._desk.mark(self._run, lines))
        if self._owner.uid:
            await asyncio.sleep(len(lines) / MARKS_BYTES_PER_S)

    async def _end(self, request: End) -> None:
        books = await self._ask(lambda: self._desk.end(self._run, request.ended_s))
        async with asyncio.timeout(ANSWER_S):
            measured = await asyncio.wrap_future(books)
        self._started = False
        record, report = await asyncio.to_thread(_written, self._run, self._name, request, measured)
        await self._send(header(ok=True, record=len(record), report=len(report)) + record + report)

    async def _tell(self, question: Callable[[], list[RunState]]) -> None:
        await self._take_turn()
        await self._send(header(ok=True, runs=await self._ask(question)))

    async def _tell_jobs(self, request: Jobs) -> None:
        await self._take_turn()
        snapshot = self._sampling.snapshot()
        if snapshot is None:
            raise RefusedError("the agent is still starting")
        user = None if self._owner.uid in {0, os.geteuid()} else self._desk.user_of(self._owner.uid)
        await self._send(line_of(jobs_told(snapshot, request, user)))

    async def _settle(self) -> None:
        """Close the windows, and wait until what was in them is in a snapshot; `settled` says if that went well."""
        clock = asyncio.get_running_loop()
        uid = self._owner.uid
        if uid not in {0, os.geteuid()} and not self._manners.settles.take(uid, clock.time()):
            raise RefusedError(f"a user's windows are closed no more than once in {1 / SETTLES_PER_S:.0f} s")
        until_s = clock.time() + SETTLE_S
        await asyncio.sleep(PUBLISHED_S)
        before = await self._ask(self._closed)
        while not (settled := _is_newer(self._sampling.snapshot(), before)) and clock.time() < until_s:  # noqa: ASYNC110 - the sampler's thread has no event of this loop
            await asyncio.sleep(SETTLE_PAUSE_S)
        await self._send(header(ok=True, settled=settled))

    def _closed(self) -> Snapshot | None:
        """On the sampler's thread: the last snapshot that does not have the windows which this has closed."""
        self._desk.settle()
        return self._sampling.snapshot()

    async def _take_turn(self) -> None:
        """A user who asks too often waits."""
        clock = asyncio.get_running_loop()
        while self._owner.uid and not self._manners.questions.take(self._owner.uid, clock.time()):  # noqa: ASYNC110 - what is waited for is time
            await asyncio.sleep(QUESTION_PAUSE_S)

    async def _ask(self, question: Callable[[], _T]) -> _T:
        async with asyncio.timeout(ANSWER_S):
            return await asyncio.wrap_future(self._sampling.ask(question))

    async def _refuse(self, why: str) -> None:
        await self._send(header(ok=False, error=why[:500]))

    async def _send(self, answer: bytes) -> None:
        self._writer.write(answer)
        async with asyncio.timeout(WRITE_S):
            await self._writer.drain()


def _is_newer(snapshot: Snapshot | None, before: Snapshot | None) -> bool:
    return snapshot is not None and (before is None or snapshot.number > before.number)


def _written(run_id: str, name: str, request: End, measured: Measured) -> tuple[bytes, bytes]:
    """The record and the report of a run."""
    told = Told(
        run_id,
        tuple(request.command),
        name,
        request.exit_code,
        request.started_unix_s,
        request.cpu_s,
        request.max_rss_bytes,
        request.survivors,
        "agent",
        extras_of(
            Words(request.metrics, request.work, request.job, request.leader, request.series, request.footprint)
        ),
    )
    record = compose(told, measured)
    page = Page(request.columns, request.color, request.glyphs, request.saved, request.verbose)
    report = render(record, page) if request.report else ""
    return to_json(record) if request.record else b"", report.encode(errors="replace")
