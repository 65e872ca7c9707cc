"""Where the agent's socket and its state are, as the user and the environment have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

AUTO, NONE = "auto", "none"
"""Settings that stand for the place below, and for no place at all."""
SOCKET_VARIABLE = "AIPOWER_SOCKET"
"""The variable of the setting `socket`; `aipower-run` reads it too."""
SOCKET_NAME = "agent.sock"
SYSTEM_RUNTIME = Path("/run/aipower")
SYSTEM_STATE = Path("/var/lib/aipower")
ROOT = 0


class Places(Struct, frozen=True):
    """Absolute paths, each None where there is to be none."""

    socket: Path | None
    state_dir: Path | None


def places(environ: Mapping[str, str], uid: int, socket: str = AUTO, state_dir: str = AUTO) -> Places:
    """The places of an agent of the user `uid` with these settings.

    `auto` is the folder that systemd made for the service, the system's own for root, and the user's own (XDG base
    directories) for everybody else.
    """
    return Places(
        _chosen(socket, lambda: _file_in(_runtime(environ, uid), SOCKET_NAME)),
        _chosen(state_dir, lambda: _state(environ, uid)),
    )


def client_sockets(environ: Mapping[str, str], uid: int) -> tuple[Path, ...]:
    """Where a client of the user `uid` looks for an agent, the most trustworthy first.

    The system's agent may read what a user may not, so the user's own comes after it. `AIPOWER_SOCKET` names the only
    one.
    """
    named = environ.get(SOCKET_VARIABLE) or AUTO
    if named != AUTO:
        return () if _absolute(named) is None else (Path(named),)
    own = _file_in(_user_runtime(environ), SOCKET_NAME) if uid != ROOT else None
    system = SYSTEM_RUNTIME / SOCKET_NAME
    return (system,) if own is None else (system, own)


def _chosen(setting: str, default: Callable[[], Path | None]) -> Path | None:
    return default() if setting == AUTO else _absolute(setting)


def _runtime(environ: Mapping[str, str], uid: int) -> Path | None:
    given = _first(environ, "RUNTIME_DIRECTORY")
    return given or (SYSTEM_RUNTIME if uid == ROOT else _user_runtime(environ))


def _state(environ: Mapping[str, str], uid: int) -> Path | None:
    if given := _first(environ, "STATE_DIRECTORY"):
        return given
    if uid == ROOT:
        return SYSTEM_STATE
    home = _absolute(environ.get("HOME", ""))
    base = _absolute(environ.get("XDG_STATE_HOME", "")) or (home and home / ".local/state")
    return base and base / "aipower"


def _user_runtime(environ: Mapping[str, str]) -> Path | None:
    base = _absolute(environ.get("XDG_RUNTIME_DIR", ""))
    return base and base / "aipower"


def _first(environ: Mapping[str, str], variable: str) -> Path | None:
    """Systemd joins the folders of a service with colons: systemd.exec(5)."""
    return _absolute(environ.get(variable, "").partition(":")[0])


def _absolute(text: str) -> Path | None:
    """A relative path counts as none, as the XDG specification wants it."""
    return Path(text) if text.startswith("/") else None


def _file_in(folder: Path | None, name: str) -> Path | None:
    return folder and folder / name
