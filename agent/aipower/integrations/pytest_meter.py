"""The energy of each test: tests are phases of measurements of some hundred tests each.

To measure each test by itself would cost it 0.1 s. A phase costs it microseconds, and the parts sum to the whole. With
xdist every worker measures itself and tells the main process at its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import asdict

from aipower.errors import AipowerError
from aipower.measuring import Measure, measure
from aipower.phases import phase
from aipower.record.wording import bracket, duration, joules, short
from aipower.runrecord import Interval, RunRecord

SCHEMA = "aipower.pytest/1"
MOST_TESTS = 400
"""In one measurement: a record has room for 500 phases."""
SHOWN = 10
NODE_WIDTH = 90


class TestEnergy(Struct, frozen=True):
    """One test, with its fixtures."""

    __test__ = False
    nodeid: str
    wall_s: float
    energy_j: float | None
    """None where nothing was measured."""
    interval_j: Interval | None
    resolved: bool
    """False for a test so short that its part of the energy rests on its time alone."""


class TestMeter:
    """The plugin that measures."""

    __test__ = False

    def __init__(self, config: pytest.Config) -> None:
        """A meter as the options of `config` want it.

        Raises:
            UsageError: pytest's: the file cannot be written.
        """
        self._sensors = str(config.getoption("--aipower-sensors"))
        self._file = config.getoption("--aipower-json")
        self._worker: dict[str, Any] | None = getattr(config, "workeroutput", None)
        self._measure: Measure | None = None
        self._names: list[str] = []
        self._tests: list[TestEnergy] = []
        self._why = ""
        if self._file and self._worker is None:
            _try(Path(self._file))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """A test is a phase, with its setup and teardown."""
        self._go_on()
        self._names.append(item.nodeid)
        with phase(f"test-{len(self._names)}"):
            result = yield
        return result

    def pytest_sessionfinish(self) -> None:
        """All tests are done."""
        self._stop()
        if self._worker is not None:
            self._worker["aipower"] = json.dumps([[asdict(test) for test in self._tests], self._why])
        elif self._file:
            self._write(Path(self._file))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - of xdist
        """A worker has ended, and has told us."""
        told = getattr(node, "workeroutput", {}).get("aipower")
        if told is not None:
            tests, self._why = json.loads(told)
            self._tests += [TestEnergy(**test) for test in tests]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The tests that used the most."""
        terminalreporter.section("energy of tests")
        for line in summary(self._tests, self._why):
            terminalreporter.line(line)

    def _go_on(self) -> None:
        """A measurement is going on, and has room for another test.

        Raises:
            UsageError: pytest's: a sensor that was named is not to be had.
        """
        if len(self._names) >= MOST_TESTS:
            self._stop()
        if self._measure is None:
            try:
                self._measure = measure("pytest", sensors=self._sensors).__enter__()
            except AipowerError as error:
                raise pytest.UsageError(f"--aipower-sensors: {error}") from None

    def _stop(self) -> None:
        ended, self._measure = self._measure, None
        if ended is not None:
            ended.__exit__(None)
            self._tests += tests_of(ended.record, self._names)
            self._why = ended.why
        self._names = []

    def _write(self, file: Path) -> None:
        tests = [asdict(test) for test in self._tests]
        file.write_text(json.dumps({"schema": SCHEMA, "why": self._why, "tests": tests}, indent=2) + "\n")


def _try(file: Path) -> None:
    """Complain now of a file that cannot be written, not after an hour of tests.

    Raises:
        UsageError: pytest's.
    """
    try:
        file.open("a").close()
    except OSError as error:
        raise pytest.UsageError(f"--aipower-json {file}: {error.strerror}") from None


def tests_of(record: RunRecord, names: Sequence[str]) -> list[TestEnergy]:
    """The energy of each of the tests `names`, which were the phases `test-1`, `test-2` and so on."""
    phases = {row.path[0]: row for row in record.phases if len(row.path) == 1}
    known = record.energy_j.total is not None
    return [
        TestEnergy(
            name,
            row.wall_s,
            row.energy_j.total if known else None,
            row.interval_j.total if known else None,
            row.resolved,
        )
        for number, name in enumerate(names, start=1)
        if (row := phases.get(f"test-{number}")) is not None
    ]


def summary(tests: Sequence[TestEnergy], why: str) -> list[str]:
    """For the terminal: the largest first, and all together."""
    known = [(test.energy_j, test) for test in tests if test.energy_j is not None]
    if not known:
        return [f"nothing was measured: {why or 'no test has run'}"]
    known.sort(key=lambda pair: pair[0], reverse=True)
    lines = [_line(energy_j, test) for energy_j, test in known[:SHOWN]]
    if len(known) > SHOWN:
        lines.append(f"and {len(known) - SHOWN} more; --aipower-json FILE writes all")
    lines.append(f"{joules(sum(energy_j for energy_j, _ in known)):>9}  together, by {_count(len(known))}")
    if len(known) < len(tests):
        lines.append(f"{_count(len(tests) - len(known))} over before the sensors had anything to tell")
    return [*lines, *([f"not measured: {why}"] if why else [])]


def _line(energy_j: float, test: TestEnergy) -> str:
    unsure = "" if test.resolved else "  by its time alone"
    figures = f"{joules(energy_j):>9}  {bracket(test.interval_j):<24} {duration(test.wall_s):>9}"
    return f"{figures}  {short(test.nodeid, NODE_WIDTH)}{unsure}"


def _count(tests: int) -> str:
    return f"{tests} test{'s' if tests != 1 else ''}"
