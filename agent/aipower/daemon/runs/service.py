"""The agent's Unix socket: who calls is known from the kernel, and what a caller may cost is bounded."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import struct
import threading
from collections import Counter
from pathlib import Path

from aipower.daemon.runs.allowance import Allowance
from aipower.daemon.runs.desk import RunDesk
from aipower.daemon.runs.metered import Owner
from aipower.daemon.runs.protocol import SHORT_LINE_BYTES, header
from aipower.daemon.runs.session import Manners, Sampling, Session
from aipower.errors import AipowerError
from aipower.processes.procfs import ProcFs

log = logging.getLogger(__name__)

SOCKET_MODE, FOLDER_MODE = 0o666, 0o755
"""Everybody may call: what they may ask for depends on who they are."""
MOST_SESSIONS, MOST_EACH = 512, 128
"""Connections at once: of all callers, and of one user who is not root."""
LOOP_TURNS = 4
BACKLOG = 1024
"""Callers that may wait to be accepted; more are turned away by the kernel and measure by themselves."""
CALLS_PER_S, CALLS_AT_ONCE, PAUSE_S = 50.0, 200.0, 0.5
"""How often a user who is not root may connect before each call has to wait."""
STOP_S = 2.0
_CREDENTIALS = struct.Struct("3i")


class RunService:
    """Listens at `path` from `start` to `stop`, on a thread of its own."""

    def __init__(self, path: Path, desk: RunDesk, sampling: Sampling, *, make_folder: bool = True) -> None:
        self._path = path
        self._make_folder = make_folder
        self._desk = desk
        self._sampling = sampling
        self._listener: socket.socket | None = None
        self._inode = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="aipower-runs", daemon=True)
        self._sessions: Counter[int] = Counter()
        self._writers: set[asyncio.StreamWriter] = set()
        self._manners = Manners()
        self._calls = Allowance(CALLS_PER_S, CALLS_AT_ONCE)
        self._procfs = ProcFs()

    def start(self) -> None:
        """Listen.

        Raises:
            AipowerError: It cannot be had, with the reason.
        """
        self._listener = listen(self._path, make_folder=self._make_folder)
        self._inode = self._path.stat().st_ino
        self._thread.start()
        log.info("aipower-run finds the agent at %s", self._path)

    def stop(self, timeout_s: float = STOP_S) -> None:
        """End; callers measure by themselves from then on. Safe without `start` and twice."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._leave.set)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if self._listener is not None:
            self._listener.close()
            with contextlib.suppress(OSError):
                if self._path.stat().st_ino == self._inode:
                    self._path.unlink()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:  # the agent does without: its runs measure by themselves
            log.exception("the socket for runs has failed")

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        assert self._listener is not None  # noqa: S101 - `start` has made it before the thread
        server = await asyncio.start_unix_server(
            self._welcome, sock=self._listener, backlog=BACKLOG, limit=SHORT_LINE_BYTES
        )
        async with server:
            await self._leave.wait()
            # Python 3.11 leaves the socket open of who is let in by a server that closes in the same turn.
            self._loop.remove_reader(self._listener)
            await _turns()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await _turns()  # so that the sockets are closed before the loop is

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        owner = owner_of(writer.get_extra_info("socket"), self._procfs)
        self._writers.add(writer)
        try:
            if (why := self._unwelcome(owner)) is not None:
                writer.write(header(ok=False, error=why))
                return
            self._sessions[owner.uid] += 1
            try:
                if owner.uid and not self._calls.take(owner.uid, asyncio.get_running_loop().time()):
                    await asyncio.sleep(PAUSE_S)
                await Session(owner, self._desk, self._sampling, (reader, writer), self._manners).serve()
            finally:
                self._sessions[owner.uid] -= 1
        except (ConnectionError, TimeoutError):
            pass
        except asyncio.CancelledError:
            # The agent ends. Python 3.11 would log a traceback for each caller who is still there.
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _unwelcome(self, owner: Owner) -> str | None:
        if owner.pid <= 0 or len(self._procfs.namespace_pids(owner.pid)) > 1:
            return "your process is in another PID namespace than the agent"
        if not owner.started_ticks:
            return "your process has gone, or hides itself"
        if self._sessions.total() >= MOST_SESSIONS or (owner.uid and self._sessions[owner.uid] >= MOST_EACH):
            return "too many connections"
        return None


async def _turns() -> None:
    """As many turns of the loop as a connection takes from its arrival to `_welcome`, or from its end to its close."""
    for _ in range(LOOP_TURNS):
        await asyncio.sleep(0)


def owner_of(connection: socket.socket, procfs: ProcFs) -> Owner:
    """Who has connected, as the kernel noted it then.

    Without a start time where that process has gone: its pid may be another's by now, whose user tells.
    """
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    row = procfs.stat(pid) if pid > 0 else None
    same = row is not None and procfs.uid(pid) == uid
    return Owner(pid, uid, row.started_ticks if row is not None and same else 0)


def listen(path: Path, *, make_folder: bool = True) -> socket.socket:
    """A listening socket that everybody may connect to; what a dead agent has left there is replaced.

    Raises:
        AipowerError: Another agent listens there, or the folder cannot be written to.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if make_folder:
            _make_folder(path.parent)
        _clear(path)
        listener.bind(os.fspath(path))
        path.chmod(SOCKET_MODE)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise AipowerError(f"no socket for aipower-run at {path}: {_reason(error)}") from error
    return listener


def _make_folder(path: Path) -> None:
    """A folder that everybody may enter, whatever the umask; one that is there stays as it is."""
    if not path.is_dir():
        path.mkdir(parents=True)
        path.chmod(FOLDER_MODE)


def _clear(path: Path) -> None:
    """Remove the socket of an agent that has died.

    Raises:
        OSError: Somebody listens there, or it is no socket.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            if path.is_socket():
                path.unlink()
            return
    raise OSError(errno.EADDRINUSE, "another agent listens there")


def _reason(error: OSError) -> str:
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR}:
        return f"{error.strerror}; name another with --socket PATH, or none with --socket none"
    return str(error.strerror or error)
