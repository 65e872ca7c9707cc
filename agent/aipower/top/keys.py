"""From the bytes of a terminal to the names of keys."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])")
"""An escape sequence of a key: CSI of ECMA-48, or SS3 with one letter."""
BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
LONGEST = 32
"""No key sends more; what does is no key."""

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down",
        "\x1b[C": "right", "\x1bOC": "right", "\x1b[D": "left", "\x1bOD": "left",
        "\x1b[5~": "pageup", "\x1b[6~": "pagedown",
        "\x1b[H": "home", "\x1bOH": "home", "\x1b[1~": "home", "\x1b[7~": "home",
        "\x1b[F": "end", "\x1bOF": "end", "\x1b[4~": "end", "\x1b[8~": "end",
        "\r": "enter", "\n": "enter", "\x7f": "backspace", "\b": "backspace",
        "\x03": "ctrl-c", "\x0c": "ctrl-l", "\x15": "ctrl-u",
    }
)  # fmt: skip


class KeyDecoder:
    """Takes bytes as they come, also in the middle of a key."""

    def __init__(self) -> None:
        self._letters = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    @property
    def waiting(self) -> bool:
        """True while the start of a sequence is there that may also be the escape key."""
        return bool(self._rest)

    def feed(self, data: bytes) -> Sequence[str]:
        """The keys that are complete."""
        text, self._rest = self._rest + self._letters.decode(data), ""
        keys: list[str] = []
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                keys.extend(_named(text[at]))
                at += 1
            elif found := SEQUENCE.match(text, at):
                keys.extend(_named(found[0]))
                at = found.end()
            elif BEGUN.match(text, at) and len(text) - at < LONGEST:
                self._rest = text[at:]
                break
            else:
                keys.append("escape")
                at += 1
        return keys

    def flush(self) -> Sequence[str]:
        """Nothing has followed: what waits was the escape key, or nothing that is known."""
        rest, self._rest = self._rest, ""
        return ["escape"] if rest == "\x1b" else []


def _named(text: str) -> Sequence[str]:
    name = NAMES.get(text)
    if name:
        return [name]
    return [text] if len(text) == 1 and text.isprintable() else []
