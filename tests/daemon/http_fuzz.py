"""Makes requests that are wrong in all ways that come to mind, the same for the same seed."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator

METHODS = (
    b"GET",
    b"HEAD",
    b"POST",
    b"TRACE",
    b"CONNECT",
    b"OPTIONS",
    b"PRI",
    b"get",
    b"G\0T",
    b"",
    b"\xff",
    b"G" * 300,
)
TARGETS = (
    b"/", b"/metrics", b"/healthz", b"/-/ready", b"/%00", b"/\0", b"/../../etc/passwd", b"/%2e%2e/x", b"/\xc3\xa4",
    b"*", b"/%ff%fe", b"/%", b"//", b"http://x/metrics", b"http://[", b"x:80", b"/?" + b"a=" * 400, b"", b"/ /",
    b"/" + b"a" * 20_000,
)  # fmt: skip
VERSIONS = (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.10", b"http/1.1", b"HTTP/", b"", b"\0")
HEADERS = (
    b"Host: x", b"Host: x\r\nHost: y", b"Host:", b"Host: \xff", b"Content-Length: 5", b"Content-Length: -1",
    b"Content-Length: 99999999999999999999", b"Content-Length: 1\r\nContent-Length: 2", b"Content-Length: 0x5",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    b"Expect: 100-continue", b"Upgrade: websocket\r\nConnection: upgrade", b"Upgrade: h2c", b"Connection: close",
    b"Connection: keep-alive", b"Accept-Encoding: gzip", b"Accept-Encoding: " + b"gzip;q=" * 50,
    b"Accept: " + b"a/b;q=," * 50,
    b"Authorization: Basic " + b"=" * 30, b"Authorization: Basic dTpw", b"X: " + b"y" * 20_000, b" folded",
    b"\tfolded", b": empty", b"No colon", b"X\0: y", b"X: \0", b"X: \x7f\x80", b"X : y", b"x:y\r\n" * 300,
    b"Range: bytes=0-",
)  # fmt: skip
BODIES = (
    b"",
    b"",
    b"",
    b"hello",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"zz\r\n",
    b"ffffffffffffffff\r\n",
    b"5;x=\0\r\nhell",
    b"\0" * 3000,
)
WHOLE = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n" * 50, b"\0", b"GET",
    b"GET /\r\n",
    b"GET / HTTP/1.1\r\n", b"\n\n\n", b"GET / HTTP/1.1\n\n", b"GET / HTTP/1.1\r\r\n", b"SSH-2.0-x\r\n", b"",
)  # fmt: skip
LINE_ENDS = (b"\r\n",) * 12 + (b"\n", b"\r", b"\n\r", b"")


def request(dice: random.Random) -> bytes:
    """One input: now and then a good request, more often not, sometimes several."""
    if dice.random() < 0.05:
        return dice.choice(WHOLE)
    parts = [_one(dice) for _ in range(1 if dice.random() < 0.9 else dice.randrange(2, 9))]
    text = b"".join(parts)
    for change in dice.choices((_nothing, _flip, _cut, _insert, _repeat), weights=(5, 3, 2, 2, 1), k=2):
        text = change(dice, text)
    return text


def _one(dice: random.Random) -> bytes:
    good = dice.random() < 0.5
    end = b"\r\n" if good else dice.choice(LINE_ENDS)
    words = (
        [METHODS[0], dice.choice(TARGETS[:4]), VERSIONS[0]] if good else map(dice.choice, (METHODS, TARGETS, VERSIONS))
    )
    headers = [b"Host: x"] if dice.random() < 0.8 else []
    headers += dice.choices(HEADERS, k=dice.randrange(4))
    return b" ".join(words) + end + b"".join(header + end for header in headers) + end + dice.choice(BODIES)


def _nothing(_dice: random.Random, text: bytes) -> bytes:
    return text


def _flip(dice: random.Random, text: bytes) -> bytes:
    changed = bytearray(text)
    for _ in range(dice.randrange(1, 5) if text else 0):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _cut(dice: random.Random, text: bytes) -> bytes:
    return text[: dice.randrange(len(text) + 1)]


def _insert(dice: random.Random, text: bytes) -> bytes:
    place = dice.randrange(len(text) + 1)
    return text[:place] + dice.randbytes(dice.randrange(1, 40)) + text[place:]


def _repeat(dice: random.Random, text: bytes) -> bytes:
    return text * dice.randrange(2, 5)


def answer(port: int, sent: bytes, limit_s: float = 30) -> bytes:
    """All that comes back to `sent` and the end of it.

    Raises:
        TimeoutError: The connection does not end.
    """
    received = []
    with socket.create_connection(("127.0.0.1", port), timeout=limit_s) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                received.append(part)
        except (ConnectionResetError, BrokenPipeError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
    return b"".join(received)


def statuses(port: int, inputs: Iterator[bytes], check_each: int, check: Callable[[], None]) -> Counter[str]:
    """How many inputs were answered first with which status; `check` is called now and then."""
    found: Counter[str] = Counter()
    for number, sent in enumerate(inputs):
        came = answer(port, sent)
        assert not came or came.startswith(b"HTTP/1.1 "), (sent, came)
        found[came[9:12].decode() or "none"] += 1
        if number % check_each == 0:
            check()
    return found
