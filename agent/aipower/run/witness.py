"""A second process in our group that tells which signals went to the whole group and which to us alone.

A signal from a person carries no word about its addressees. So a small process without a terminal, a file or
a duty of its own sits in our process group with every signal blocked. What it got, the command got as well.

It has a second use: while we are stopped together with the command, it alone can see that somebody has
continued or killed just the command, and wakes us.
"""

from __future__ import annotations

import _socket  # what socket puts on top of it (enums of all constants, selectors) costs 2 ms
import gc
import os
import select
import struct

from aipower.imports.lean import signal, suppress
from aipower.run.descriptors import close_all_but
from aipower.run.linux import die_with_parent

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import NoReturn

Origin = tuple[int, int]
"""A signal's number and the pid of its sender (0 where it was the kernel)."""

_REQUEST = struct.Struct("=Ii")
"""A serial number, and the pid to watch or 0 for the question what has come."""
_SERIAL = struct.Struct("=I")
_ORIGIN = struct.Struct("=ii")
_MOST_ORIGINS = 256
_ANSWER_SIZE = _SERIAL.size + _MOST_ORIGINS * _ORIGIN.size
_PATIENCE_S = 0.25
_WATCH_PERIOD_MS = 100


class Witness:
    """Our end of the witness. Every method works, and says nothing, after its end as well."""

    def __init__(self, pid: int, channel: _socket.socket | None) -> None:
        self._pid = pid
        self._channel = channel
        self._serial = 0

    @property
    def pid(self) -> int:
        """Its pid, 0 once it has ended."""
        return self._pid

    def collect(self) -> list[Origin] | None:
        """What has come for the whole group since the last question; None if there is no witness to ask.

        A witness that does not answer was stopped with the group and not continued with us; we continue it.
        """
        answer = self._ask()
        if answer is None and self._pid:
            os.kill(self._pid, signal.SIGCONT)
            answer = self._ask()
        return answer

    def watch(self, command: int) -> None:
        """Until the next question, have us continued whenever we are stopped and `command` is not."""
        self._send(command)

    def ended(self) -> None:
        """Take note that somebody else has reaped it."""
        self._pid = 0
        if self._channel is not None:
            self._channel.close()

    def close(self) -> None:
        """End it and wait until it has gone. Safe to call twice."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        self.ended()

    def _ask(self) -> list[Origin] | None:
        """The answer, with what came too late for an earlier question; None without one in time."""
        if self._channel is None or not self._send(0):
            return None
        origins: list[Origin] = []
        try:
            while answer := self._channel.recv(_ANSWER_SIZE):
                origins += _ORIGIN.iter_unpack(answer[_SERIAL.size :])
                if _SERIAL.unpack_from(answer)[0] == self._serial:
                    return origins
        except OSError:
            pass
        return None

    def _send(self, watched: int) -> bool:
        if self._channel is None:
            return False
        self._serial += 1
        try:
            self._channel.send(_REQUEST.pack(self._serial, watched))
        except OSError:
            return False
        return True


def start_witness(signals: Collection[int]) -> Witness:
    """A witness for `signals`, which the calling thread must have blocked, in a process with no other thread.

    Where no process can be forked or no socket be had the witness is one that has ended already.
    """
    try:
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    except OSError:
        return Witness(0, None)
    ours.settimeout(_PATIENCE_S)
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        pid = -1
    if pid == 0:
        _be_witness(theirs, signals, parent)
    theirs.close()
    witness = Witness(max(pid, 0), ours)
    if pid < 0:
        witness.ended()
    return witness


def _be_witness(channel: _socket.socket, signals: Collection[int], parent: int) -> NoReturn:
    """The life of the witness: it ends with its parent, and nothing of ours is flushed or run in it."""
    try:
        gc.disable()
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        die_with_parent()
        close_all_but(channel.fileno())
        os.chdir("/")
        with suppress(OSError), open("/proc/self/comm", "wb") as name:
            name.write(b"aipower-witness")
        if os.getppid() == parent:
            _answer_all(channel, signals, parent)
    finally:
        os._exit(0)


def _answer_all(channel: _socket.socket, signals: Collection[int], parent: int) -> None:
    while request := channel.recv(_REQUEST.size):
        serial, watched = _REQUEST.unpack(request)
        if watched:
            _watch(channel, parent, watched)
        else:
            origins = _drain(signals, parent)
            channel.send(_SERIAL.pack(serial) + b"".join(_ORIGIN.pack(*origin) for origin in origins))


def _drain(signals: Collection[int], parent: int) -> list[Origin]:
    """All that is pending, without what our own supervisor sent."""
    origins: list[Origin] = []
    while len(origins) < _MOST_ORIGINS and (info := signal.sigtimedwait(signals, 0)) is not None:
        if info.si_pid != parent:
            origins.append((info.si_signo, info.si_pid))
    return origins


def _watch(channel: _socket.socket, parent: int, command: int) -> None:
    """Return at the next request. Both must be looked at: the parent may not have stopped yet."""
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    while not poll.poll(_WATCH_PERIOD_MS):
        if _stopped(parent) and not _stopped(command):
            os.kill(parent, signal.SIGCONT)


def _stopped(pid: int) -> bool:
    """True if the process `pid` is stopped, by a signal or by a debugger; False if it has gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    except OSError:
        return False
