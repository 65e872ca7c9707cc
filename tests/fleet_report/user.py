"""Who calls `aipower report` in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from aipower.cli import main
from aipower.runrecord import RunRecord, from_json


@dataclass(frozen=True, slots=True)
class Told:
    """What a call has left."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class User:
    """One who reads what is printed."""

    capture: pytest.CaptureFixture[str]
    known: dict[tuple[str, ...], RunRecord]
    """Records that were asked for before: the engines' data do not change."""

    def call(self, url: str, *words: str) -> Told:
        """`aipower report --prometheus URL WORDS`."""
        self.capture.readouterr()
        code = main(["report", "--prometheus", url, *words])
        told = self.capture.readouterr()
        return Told(code, told.out, told.err)

    def record(self, url: str, *words: str) -> RunRecord:
        """The record that the report is of."""
        if (url, *words) not in self.known:
            told = self.call(url, *words, "--json")
            assert (told.code, told.err) == (0, "")
            self.known[url, *words] = from_json(told.out.encode())
        return self.known[url, *words]

    def summary(self, url: str, *words: str) -> dict[str, Any]:
        """What the summary says."""
        told = self.call(url, *words, "--json")
        assert (told.code, told.err) == (0, "")
        found: dict[str, Any] = json.loads(told.out)
        return found

    def mistake(self, url: str, *words: str) -> Told:
        """A call that fails: one line."""
        told = self.call(url, *words)
        assert told.code != 0
        assert told.out == ""
        assert told.err.count("\n") == 1
        return told


def parts_are_exact(record: RunRecord) -> None:
    """Run, idle, others' and unattributed energy are the whole, and the interval has the truth's place."""
    for row in record.devices:
        assert row.energy_j is not None
        parts = (row.run_energy_j, row.idle_j, row.other_j, row.unattributed_j)
        assert sum(part or 0.0 for part in parts) == pytest.approx(row.energy_j, rel=1e-9)
        assert min(part or 0.0 for part in parts) >= 0
    total_j = sum(row.run_energy_j or 0.0 for row in record.devices if row.kind in {"gpu", "cpu", "dram"})
    assert record.energy_j.total == pytest.approx(total_j, rel=1e-12)
    assert sum(node.energy_j.total or 0.0 for node in record.nodes) == pytest.approx(total_j, rel=1e-12)


def within(value: float, bounds: tuple[float, float] | None) -> bool:
    """True where the interval has it."""
    assert bounds is not None
    return bounds[0] <= value <= bounds[1]
