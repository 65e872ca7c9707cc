"""Command lines: one line for a mistake, with the nearest right word."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import NoReturn

from aipower.errors import UsageError


class Parser(argparse.ArgumentParser):
    """Complains in one line instead of printing its usage."""

    def error(self, message: str) -> NoReturn:
        """What is wrong, and what was probably meant.

        Raises:
            UsageError: Always.
        """
        # What was typed wrong is part of the message: it must not break the line or reach into the terminal.
        told = "".join(char if char.isprintable() else "?" for char in message)
        raise UsageError(f"{told}{self._suggestion(message)}; see {self.prog} --help")

    def _suggestion(self, message: str) -> str:
        wrong = re.search(r"unrecognized arguments: (-\S+)", message) or re.search(r"invalid choice: '(\S+)'", message)
        if wrong is None:
            return ""
        import difflib  # noqa: PLC0415 - only a mistake needs it

        near = difflib.get_close_matches(wrong[1].partition("=")[0], set(_words(self)), n=1)
        return f"; did you mean {near[0]}?" if near else ""


def _words(parser: argparse.ArgumentParser) -> Iterator[str]:
    """All option names and commands of a parser and of those below it."""
    for action in parser._actions:  # noqa: SLF001 - argparse offers no public list
        yield from action.option_strings
        if isinstance(action.choices, dict):
            for name, below in action.choices.items():
                yield name
                yield from _words(below)
