from __future__ import annotations

from pathlib import Path

import pytest

from aipower.settings.places import Places, client_sockets, places

USER = {"XDG_RUNTIME_DIR": "/run/user/1000", "HOME": "/home/ann"}
SYSTEM_SOCKET = Path("/run/aipower/agent.sock")


@pytest.mark.parametrize(
    ("environ", "uid", "socket", "state_dir"),
    [
        ({"HOME": "/root"}, 0, "/run/aipower/agent.sock", "/var/lib/aipower"),
        (USER, 1000, "/run/user/1000/aipower/agent.sock", "/home/ann/.local/state/aipower"),
        ({**USER, "XDG_STATE_HOME": "/s"}, 1000, "/run/user/1000/aipower/agent.sock", "/s/aipower"),
        ({**USER, "XDG_STATE_HOME": "s"}, 1000, "/run/user/1000/aipower/agent.sock", "/home/ann/.local/state/aipower"),
        (
            {"RUNTIME_DIRECTORY": "/run/a:/run/b", "STATE_DIRECTORY": "/var/lib/a:/b"},
            999,
            "/run/a/agent.sock",
            "/var/lib/a",
        ),
        ({}, 999, None, None),
    ],
)
def test_the_places_of_an_agent(environ: dict[str, str], uid: int, socket: str | None, state_dir: str | None) -> None:
    assert places(environ, uid) == Places(socket and Path(socket), state_dir and Path(state_dir))  # type: ignore[arg-type]  # None or a path


def test_what_is_set_wins_and_none_is_none() -> None:
    assert places(USER, 1000, "/a/b.sock", "none") == Places(Path("/a/b.sock"), None)
    assert places(USER, 0, "none", "/s") == Places(None, Path("/s"))


def test_a_client_asks_the_agent_of_the_system_first() -> None:
    assert client_sockets(USER, 1000) == (SYSTEM_SOCKET, Path("/run/user/1000/aipower/agent.sock"))
    assert client_sockets(USER, 0) == (SYSTEM_SOCKET,)
    # A job inside some service: that folder is not the agent's.
    assert client_sockets({"RUNTIME_DIRECTORY": "/run/job"}, 1000) == (SYSTEM_SOCKET,)


@pytest.mark.parametrize(
    ("named", "sockets"), [("/a.sock", (Path("/a.sock"),)), ("none", ()), ("auto", (SYSTEM_SOCKET,))]
)
def test_a_client_that_is_told_asks_no_other(named: str, sockets: tuple[Path, ...]) -> None:
    assert client_sockets({"AIPOWER_SOCKET": named}, 1000) == sockets
