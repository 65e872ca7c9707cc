"""Whose a connection is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aipower.shelf.callers import uid_of_caller

CALLER = """
import os, socket, sys
family, host = (socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET), sys.argv[2]
os.setuid(int(sys.argv[1]))  # from here on no module can be loaded: the interpreter may be in root's home folder
connection = socket.socket(family)
connection.connect((host, int(sys.argv[3])))
connection.recv(1)
connection.close()
"""


@contextmanager
def listening(family: int, host: str) -> Iterator[socket.socket]:
    with socket.socket(family) as listener:
        try:
            listener.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        listener.listen()
        listener.settimeout(20)
        yield listener


@pytest.mark.parametrize(
    ("family", "host", "called"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET, "127.0.0.1", "::ffff:127.0.0.1"),
        (socket.AF_INET6, "::1", "::1"),
    ],
)
@pytest.mark.parametrize("uid", [os.geteuid(), 12_345])
def test_a_caller_is_who_it_is(family: int, host: str, called: str, uid: int) -> None:
    if uid != os.geteuid() != 0:
        pytest.skip("only root calls as somebody else")
    with listening(family, host) as listener:
        here = listener.getsockname()[:2]
        with subprocess.Popen([sys.executable, "-c", CALLER, str(uid), called, str(here[1])]) as child:
            connection, caller = listener.accept()
            with connection:
                assert uid_of_caller(caller[:2], here) == uid
                assert uid_of_caller(here, caller[:2]) == os.geteuid(), "our own end"
                assert uid_of_caller((caller[0], caller[1] ^ 1), here) is None
            assert child.wait(60) == 0


@pytest.mark.parametrize("host", ["", "node1", "unix:", "127.0.0.1\n", "::1%lo%lo"])
def test_what_is_no_address_is_nobody(host: str) -> None:
    assert uid_of_caller((host, 1), ("127.0.0.1", 2)) is None


@pytest.mark.parametrize(
    "content", [b"", b"\xff\n\0", b"sl\n 0: 0100007F:0001 0100007F:0002 01\n", b"sl\n" + b"x " * 99]
)
def test_a_table_of_rubbish_tells_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_bytes(content)
    assert uid_of_caller(("127.0.0.1", 1), ("127.0.0.1", 2), tmp_path) is None


@pytest.mark.skipif(sys.byteorder != "little", reason="the table is written as on a little-endian machine")
def test_two_users_of_one_connection_are_nobody(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    row = " 0: 0100007F:0001 0100007F:0002 01 00000000:00000000 00:00000000 00000000 {uid} 0 1 1\n"
    table = tmp_path / "net/tcp"
    table.write_text("sl\n" + row.format(uid=7))
    assert uid_of_caller(("127.0.0.1", 1), ("127.0.0.1", 2), tmp_path) == 7
    table.write_text("sl\n" + row.format(uid=7) + row.format(uid=8))
    assert uid_of_caller(("127.0.0.1", 1), ("127.0.0.1", 2), tmp_path) is None
