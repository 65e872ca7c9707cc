"""Lines of JSON to the agent and from it, by hand: json brings re along, and costs every run 4 ms.

What an agent says besides plain answers (a refusal in odd words) is read by json after all.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Mapping

    Field = str | float | list[int] | list[str]

_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(32), ord('"'), ord("\\"))}
"""What JSON does not let stand in a text."""
_WORDS = {"true": True, "false": False}
_LONGEST_NUMBER = 18
"""Digits; more than any length or count needs."""


def encode(message: Mapping[str, Field]) -> bytes:
    """`message` as a line of JSON; bytes of a text that are no UTF-8 are replaced, as JSON has no room for them."""
    return f"{{{','.join(f'{_encoded(name)}:{_encoded(value)}' for name, value in message.items())}}}\n".encode()


def decode(line: bytes) -> object:
    """The value of a line of JSON.

    Raises:
        ValueError: It is none.
        RecursionError: It is too deep.
    """
    plain = decode_plain(line)
    if plain is not None:
        return plain
    import json  # noqa: PLC0415 - see above

    return json.loads(line)


def decode_plain(line: bytes) -> dict[str, str | int] | None:
    """An object of texts, whole numbers, true and false without anything odd in them; None for all other lines."""
    text = line.decode(errors="replace").strip()
    if not text.isprintable() or "\\" in text or text[:1] != "{" or text[-1:] != "}":
        return None
    found: dict[str, str | int] = {}
    for pair in text[1:-1].split(","):
        name, _, value = pair.partition(":")
        name_text, plain = _unquoted(name), _plain(value)
        if name_text is None or plain is None:
            return None
        found[name_text] = plain
    return found


def _plain(value: str) -> str | int | None:
    value = value.strip(" ")
    if value in _WORDS:
        return _WORDS[value]
    if value.isascii() and value.isdecimal() and len(value) <= _LONGEST_NUMBER:
        return int(value)
    return _unquoted(value)


def _unquoted(word: str) -> str | None:
    """The text in the quotes of `word`; None where it is not one text in quotes."""
    word = word.strip(" ")
    whole = len(word) > 1 and word[0] == word[-1] == '"' and word.count('"') == 2  # noqa: PLR2004 - a pair
    return word[1:-1] if whole and "\ufffd" not in word else None


def _encoded(value: Field) -> str:
    if isinstance(value, str):
        return f'"{os.fsencode(value).decode(errors="replace").translate(_ESCAPES)}"'
    if isinstance(value, list):
        return f"[{','.join(map(_encoded, value))}]"
    return repr(value).lower()
