"""One mapping of the web configuration, whose values are asked for by key and type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from aipower.errors import UsageError

FLAGS: Mapping[str, bool] = {"true": True, "false": False}
MAX_SHOWN_CHARS = 80


class Section:
    """The mapping at `name` of the file `path`; `name` is empty for the whole file."""

    def __init__(self, path: Path, name: str, node: object) -> None:
        self.path = path
        self._name = name
        self._values = self._mapping(node)

    def names(self) -> Sequence[str]:
        """The keys that are there."""
        return tuple(self._values)

    def only(self, known: Sequence[str], unsupported: Mapping[str, str]) -> None:
        """Accept no other keys than `known`; `unsupported` says what to do instead of others.

        Raises:
            UsageError: There is another key.
        """
        for key in self._values:
            if key in unsupported:
                raise self.wrong(key, f"not supported; {unsupported[key]}")
            if key not in known:
                import difflib  # noqa: PLC0415 - only for a mistake

                near = difflib.get_close_matches(key, known, n=1)
                remedy = f'did you mean "{near[0]}"?' if near else f"the keys are {', '.join(known)}"
                raise self.wrong(key, f"unknown key; {remedy}")

    def wrong(self, key: str, why: str) -> UsageError:
        """The error to raise: the file, the key and `why`, in one line."""
        place = f"{self._name}.{key}" if self._name else key
        return UsageError(f"{self.path}: {shown(place)[1:-1]}: {why}")

    def section(self, key: str) -> Section:
        """The mapping at `key`, empty where there is none.

        Raises:
            UsageError: It is no mapping.
        """
        return Section(self.path, f"{self._name}.{key}" if self._name else key, self._values.get(key, ""))

    def text(self, key: str) -> str | None:
        """The text at `key`; None where there is none or it is empty.

        Raises:
            UsageError: It is no text.
        """
        value = self._values.get(key, "")
        if not isinstance(value, str):
            raise self.wrong(key, "expected text")
        return value or None

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts at `key`.

        Raises:
            UsageError: It is no list of texts.
        """
        value = self._values.get(key) or ()
        if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) and item for item in value):
            raise self.wrong(key, "expected a list of texts")
        return tuple(value)

    def flag(self, key: str, default: bool) -> bool:  # noqa: FBT001 - a flag is what it is about
        """True or false at `key`.

        Raises:
            UsageError: It is neither.
        """
        text = self.text(key)
        if text is None:
            return default
        if text.lower() not in FLAGS:
            raise self.wrong(key, f"expected true or false, not {shown(text)}")
        return FLAGS[text.lower()]

    def file(self, key: str) -> Path | None:
        """The path at `key`; a relative one is relative to the file that names it.

        Raises:
            UsageError: It is no text, or no path.
        """
        text = self.text(key)
        if text is not None and "\0" in text:
            raise self.wrong(key, "a path has no NUL in it")
        return None if text is None else self.path.parent / text

    def _mapping(self, node: object) -> Mapping[str, object]:
        if node == "":
            return {}
        if not isinstance(node, dict) or not all(isinstance(key, str) for key in node):
            place = f"{self._name}: " if self._name else ""
            raise UsageError(f"{self.path}: {place}expected keys with values, as in KEY: VALUE")
        return node


def shown(text: str) -> str:
    """`text` between quotes, in one line and not too long."""
    quoted = json.dumps(text)
    return quoted if len(quoted) <= MAX_SHOWN_CHARS else f'{quoted[: MAX_SHOWN_CHARS - 4]}..."'
