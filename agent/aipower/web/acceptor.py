"""Takes connections from a listening socket.

Asyncio's own server takes as many at once as the queue of the kernel is long, and sleeps for a second when there is no
descriptor left. Here the queue may be long, and a client that keeps us waiting leaves its descriptor to the next.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What accept() answers while the system has no room for one more connection."""
BATCH = 32
"""Connections taken in one turn of the loop; those that are here already have their turn in between."""
SHORT_REST_S, LONG_REST_S = 0.02, 0.5
"""Before the next try without descriptors: when a place was given up, and when not."""


class Acceptor:
    """Makes a protocol of each connection until it is closed.

    `make_room` frees a descriptor if it can and says so; `complain` is told when there is none.
    """

    def __init__(
        self,
        listener: socket.socket,
        make_protocol: Callable[[], asyncio.BaseProtocol],
        make_room: Callable[[], bool],
        complain: Callable[[OSError], None],
    ) -> None:
        self._listener = listener
        self._make_protocol = make_protocol
        self._make_room = make_room
        self._complain = complain
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._rest: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._open()

    def close(self) -> None:
        """Take no more; the listening socket stays the caller's."""
        self._loop.remove_reader(self._listener)
        if self._rest is not None:
            self._rest.cancel()

    def _open(self) -> None:
        self._rest = None
        self._loop.add_reader(self._listener, self._take)

    def _take(self) -> None:
        for _ in range(BATCH):
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in EXHAUSTED:
                    self._pause(error)
                    return
                # Linux hands out errors of a connection that has ended meanwhile: the next one may be well.
                continue
            task = self._loop.create_task(self._admit(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _admit(self, connection: socket.socket) -> None:
        try:
            connection.setblocking(False)
            await self._loop.connect_accepted_socket(self._make_protocol, connection)
        except OSError:
            connection.close()
        except BaseException:
            connection.close()
            raise

    def _pause(self, error: OSError) -> None:
        self._complain(error)
        rest_s = SHORT_REST_S if self._make_room() else LONG_REST_S
        self._loop.remove_reader(self._listener)
        self._rest = self._loop.call_later(rest_s, self._open)
