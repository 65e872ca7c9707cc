"""Imports of other packages without what they bring along and do not use: 20 ms of each run without an agent.

Only `aipower-run` does this: in a user's program and in the agent, modules are imported as everywhere.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from types import TracebackType

_EXTENSIONS = "typing_extensions"
_UTIL = "ctypes.util"


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


class LazyUtil:
    """While this context lasts, `from ctypes.util import find_library` imports nothing.

    pynvml says so and never calls the function; the module imports subprocess, tempfile and shutil. Whoever does call
    it gets the answer of the real one.
    """

    def __init__(self) -> None:
        self._stand_in = ModuleType(_UTIL)
        self._stand_in.find_library = self._find_library  # type: ignore[attr-defined]

    def __enter__(self) -> None:
        sys.modules.setdefault(_UTIL, self._stand_in)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if sys.modules.get(_UTIL) is self._stand_in:
            del sys.modules[_UTIL]

    def _find_library(self, name: str) -> str | None:
        self.__exit__(None, None, None)
        from ctypes.util import find_library  # noqa: PLC0415 - hardly ever needed

        return find_library(name)
