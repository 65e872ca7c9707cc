"""Imports of other packages without modules that these import and hardly ever use.

Only programs of ours do this: in a user's program, modules are imported as everywhere.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from types import TracebackType


class StandIn:
    """While this context lasts, an import of the module `name` gives something that imports it once it is needed.

    `functions` of it import the real module when they are called. What is in `others`, by the module in which it
    really is, is taken from there; what is in `given` is there at once. Whatever else is asked for comes from the real
    module, and so do the modules of a `package`.
    """

    def __init__(
        self,
        name: str,
        functions: Collection[str],
        others: Mapping[str, str] | None = None,
        given: Mapping[str, object] | None = None,
        *,
        package: bool = False,
    ) -> None:
        self._name = name
        self._functions = functions
        self._others = others or {}
        self._module = ModuleType(name)
        self._module.__dict__.update(given or {})
        if package:
            self._module.__dict__["__path__"] = _Places(self._real)
        self._module.__getattr__ = self._given  # type: ignore[method-assign]  # PEP 562

    def __enter__(self) -> None:
        sys.modules.setdefault(self._name, self._module)
        package, _, child = self._name.rpartition(".")
        if package in sys.modules:
            # After `import a.b` one writes `a.b`, and later too: this stays until the real module takes its place.
            vars(sys.modules[package]).setdefault(child, self._module)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if sys.modules.get(self._name) is self._module:
            del sys.modules[self._name]

    def _given(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._functions:
            return self._late(name)
        return getattr(_imported(self._others[name]) if name in self._others else self._real(), name)

    def _late(self, name: str) -> Callable[..., object]:
        def function(*arguments: object, **named: object) -> object:
            found: Callable[..., object] = getattr(self._real(), name)
            return found(*arguments, **named)

        return function

    def _real(self) -> ModuleType:
        self.__exit__(None, None, None)
        return _imported(self._name)


class _Places:
    """Where the modules of a package are: who looks for one of them needs the real package."""

    def __init__(self, real: Callable[[], ModuleType]) -> None:
        self._real = real

    def __iter__(self) -> Iterator[str]:
        return iter(self._real().__path__)


def _imported(name: str) -> ModuleType:
    __import__(name)
    return sys.modules[name]
