"""What a fuzzer has found."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

MOST_FINDINGS = 20
"""More of one kind tell nothing new."""


@dataclass(slots=True)
class Outcome:
    """Filled while a fuzzer runs."""

    answers: Counter[str] = field(default_factory=Counter)
    """How many inputs ended how; their sum is the number of inputs."""
    findings: list[str] = field(default_factory=list)
    """What must not be, with the input that did it."""
    notes: list[str] = field(default_factory=list)
    """Costs and the like, for people."""
    began_s: float = field(default_factory=time.monotonic)

    @property
    def inputs(self) -> int:
        """Inputs so far."""
        return self.answers.total()

    @property
    def hopeless(self) -> bool:
        """True once it makes no sense to go on."""
        return len(self.findings) >= MOST_FINDINGS

    def report(self) -> str:
        """Lines for people."""
        wall_s = time.monotonic() - self.began_s
        answers = ", ".join(f"{answer} {count}" for answer, count in self.answers.most_common())
        lines = [
            f"{self.inputs} inputs in {wall_s:.0f} s, {self.inputs / wall_s:.0f} per second",
            f"answers: {answers}",
            *self.notes,
            f"findings: {len(self.findings)}",
            *self.findings,
        ]
        return "\n".join(lines)
