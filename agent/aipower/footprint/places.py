"""Where the user's configuration file is. Each run looks for it, so this imports next to nothing."""

from __future__ import annotations

import os

from aipower.errors import UsageError

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "AIPOWER_USER_CONFIG"
"""Names the file; `none` for no file at all."""
SYSTEM_FILE = "/etc/aipower/run.toml"
_LONGEST_TOLD = 200


def config_file(environ: Mapping[str, str], home: str | os.PathLike[str]) -> str | None:
    """The first file that is there: the named one (which must be), the user's, the system's; a few `os.stat`.

    Raises:
        UsageError: There is none of the name in `AIPOWER_USER_CONFIG`.
    """
    named = environ.get(VARIABLE, "")
    if named == "none":
        return None
    if named:
        if not _is_there(named):
            told = "".join(char if char.isprintable() else "?" for char in named)[:_LONGEST_TOLD]
            raise UsageError(f"{told}: no such file; {VARIABLE} names it")
        return named
    return next((path for path in (_user_file(environ, home), SYSTEM_FILE) if _is_there(path)), None)


def _user_file(environ: Mapping[str, str], home: str | os.PathLike[str]) -> str:
    folder = environ.get("XDG_CONFIG_HOME", "")
    # The XDG specification wants relative paths ignored.
    base = folder if folder.startswith("/") else f"{os.fspath(home)}/.config"
    return f"{base}/aipower/config.toml"


def _is_there(path: str) -> bool:
    """False too where the folder may not be searched, as with another user's HOME: that is no mistake of the file."""
    try:
        os.stat(path)  # noqa: PTH116 - pathlib costs every run 4 ms
    except (OSError, ValueError):
        return False
    return True
