"""Imports of other packages without what they bring along and do not use: 20 ms of each run without an agent.

Only `aipower-run` does this: in a user's program and in the agent, modules are imported as everywhere.
"""

from __future__ import annotations

import sys

from aipower.imports.standin import StandIn

_EXTENSIONS = "typing_extensions"


def import_msgspec() -> None:
    """Import msgspec as on a machine where typing_extensions is not installed.

    It takes three names from there if it can, else from `typing`, which has had them since Python 3.11; and that
    package imports inspect, ast, dis and tokenize. Call this while there is one thread: no other may import meanwhile.
    """
    if "msgspec" in sys.modules or _EXTENSIONS in sys.modules:
        return
    # None is the documented way to have an import fail.
    sys.modules[_EXTENSIONS] = None  # type: ignore[assignment]
    try:
        import msgspec as _  # noqa: PLC0415, F401 - this is what it is about
    finally:
        del sys.modules[_EXTENSIONS]


def import_library() -> None:
    """Import modules of the standard library without what only a traceback or a URL needs: 4 ms."""
    with (
        StandIn("traceback", {"print_exception", "print_stack"}),
        StandIn("urllib.parse", {"quote_from_bytes"}),
    ):
        for name in ("logging", "pathlib"):
            __import__(name)


def lazy_util() -> StandIn:
    """For pynvml, which imports `find_library` of ctypes.util and never calls it: subprocess, tempfile and shutil."""
    return StandIn("ctypes.util", {"find_library"})
