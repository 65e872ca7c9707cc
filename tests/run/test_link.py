"""Our end of the agent's socket: where it is, and that whatever comes back is an answer or a LinkError."""

import _socket
import json
import threading
from collections.abc import Iterator

import pytest

from aipower.run.link import MAX_COMMAND_BYTES, Link, LinkError, candidates, fits, reach


@pytest.fixture
def ends() -> Iterator[tuple[Link, _socket.socket]]:
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    link = Link(ours)
    yield link, theirs
    link.close()
    theirs.close()


def test_a_long_name_is_cut(ends: tuple[Link, _socket.socket]) -> None:
    link, theirs = ends
    link.open("x" * 1000)
    assert json.loads(theirs.recv(2000)) == {"do": "open", "name": "x" * 512}


def test_an_answer_may_come_in_pieces(ends: tuple[Link, _socket.socket]) -> None:
    link, theirs = ends
    listener = threading.Thread(target=lambda: found.append(link.books()))
    found: list[tuple[bytes, bytes]] = []
    listener.start()
    for byte in b'{"ok": true, "record": 3, "report": 2}\nabcde':
        theirs.sendall(bytes([byte]))
    listener.join(60)
    assert found == [(b"abc", b"de")]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b'{"ok": false, "error": "too many"}\n', "the agent refuses: too many"),
        (b'{"ok": true}\n', "makes no sense"),
        (b'{"run": "x"}\n', "makes no sense"),
        (b"[]\n", "makes no sense"),
        (b"\xff\n", "makes no sense"),
        (b"[" * 100_000 + b"\n", "makes no sense"),
        (b"nonsense\n", "makes no sense"),
        (b'{"ok": true, "ru', "has left"),
        (b"", "has left"),
    ],
)
def test_an_agent_that_says_something_else_is_a_link_error(
    answer: bytes, told: str, ends: tuple[Link, _socket.socket]
) -> None:
    link, theirs = ends
    theirs.sendall(answer)
    theirs.shutdown(_socket.SHUT_WR)
    with pytest.raises(LinkError, match=told):
        link.opened()


@pytest.mark.parametrize("header", [b'{"ok": true}', b'{"ok": true, "record": "x", "report": 1}'])
def test_books_without_lengths_are_a_link_error(header: bytes, ends: tuple[Link, _socket.socket]) -> None:
    link, theirs = ends
    theirs.sendall(header + b"\n")
    with pytest.raises(LinkError, match="makes no sense"):
        link.books()


def test_an_agent_that_has_left_cannot_be_told(ends: tuple[Link, _socket.socket]) -> None:
    link, theirs = ends
    theirs.close()
    with pytest.raises(LinkError, match="has left"):
        link.open("")


@pytest.mark.parametrize(
    ("environ", "uid", "places"),
    [
        ({}, 7, ["/run/aipower/agent.sock"]),
        ({"AIPOWER_SOCKET": "/a"}, 7, ["/a"]),
        ({"AIPOWER_SOCKET": "", "XDG_RUNTIME_DIR": "/x"}, 7, ["/run/aipower/agent.sock", "/x/aipower/agent.sock"]),
        ({"AIPOWER_SOCKET": "auto", "XDG_RUNTIME_DIR": "/x"}, 0, ["/run/aipower/agent.sock"]),
        ({"AIPOWER_SOCKET": "none", "XDG_RUNTIME_DIR": "/x"}, 7, []),
        ({"XDG_RUNTIME_DIR": "x"}, 7, ["/run/aipower/agent.sock"]),
    ],
)
def test_where_an_agent_may_listen(environ: dict[str, str], uid: int, places: list[str]) -> None:
    assert list(candidates(environ, uid)) == places


def test_where_nobody_listens_there_is_no_agent() -> None:
    assert reach({"AIPOWER_SOCKET": "/nonexistent"}) is None


def test_the_longest_command_that_is_sent() -> None:
    assert fits(["x" * (MAX_COMMAND_BYTES - 1)])
    assert not fits(["x" * (MAX_COMMAND_BYTES - 1), ""])
