"""Talking to the person, and to programs, over the standard streams."""

from __future__ import annotations

from typing import TextIO

from msgspec import Struct

REDRAW = "\r\x1b[K"


class Streams(Struct, frozen=True):
    """Where input comes from and output goes."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    def ask(self, question: str) -> str | None:
        """The line that was typed, None at the end of input. The question goes to stderr: stdout may be a file."""
        self.stderr.write(question)
        self.stderr.flush()
        return self.stdin.readline() or None

    def say(self, text: str) -> None:
        """Show a line that is no result."""
        self.stderr.write(f"{text}\n")
        self.stderr.flush()

    def result(self, text: str) -> None:
        """Write what was asked for; letters that the output cannot show are replaced."""
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        self.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self.stdout.flush()

    def countdown(self, left_s: float) -> None:
        """Show how long a recording still takes, where somebody watches."""
        if self.stderr.isatty():
            self.stderr.write(f"{REDRAW}recording: {left_s:.0f} s to go")
            self.stderr.flush()

    def counted(self) -> None:
        """Clear the countdown."""
        if self.stderr.isatty():
            self.stderr.write(REDRAW)
            self.stderr.flush()
