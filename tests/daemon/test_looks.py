"""What the agent's looks find, and what they tell of a source that was named."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipower.daemon.finding.looks import sources_of
from aipower.daemon.finding.search import Source
from aipower.errors import AipowerError
from aipower.processes.procfs import ProcFs
from aipower.processes.shared import SharedProcessTable
from aipower.seams import SystemClock
from aipower.sensors.nvml.signs import signs
from aipower.sensors.select import POWERCAP_VARIABLE, Machine, parse_selection
from sensors.powercap import put_zone

CLOCK = SystemClock()


def rapl(powercap: Path, words: str, refusals: list[AipowerError]) -> Source:
    machine = Machine(SharedProcessTable(ProcFs(), CLOCK), CLOCK, {POWERCAP_VARIABLE: str(powercap)})
    (source,) = (s for s in sources_of(parse_selection(words), machine, None, refusals.append) if "RAPL" in s.name)
    return source


def test_only_the_first_look_refuses_what_was_named(tmp_path: Path) -> None:
    refusals: list[AipowerError] = []
    source = rapl(tmp_path, "rapl", refusals)
    assert source.required
    for _ in range(2):
        assert not source.look(frozenset()).sensors
    assert [error.exit_code for error in refusals] == [2]
    assert "--sensors rapl: " in str(refusals[0])


@pytest.mark.parametrize(("words", "zones"), [("auto", 0), ("auto", 1), ("rapl", 1)])
def test_what_is_there_or_was_not_named_is_not_refused(words: str, zones: int, tmp_path: Path) -> None:
    for zone in range(zones):
        put_zone(tmp_path / f"intel-rapl:{zone}", f"package-{zone}")
    refusals: list[AipowerError] = []
    found = rapl(tmp_path, words, refusals).look(frozenset())
    assert (len(found.sensors), refusals) == (zones, [])
    for sensor in found.sensors:
        sensor.close()


def test_the_gpus_that_the_driver_has_are_signs(tmp_path: Path) -> None:
    assert signs(tmp_path) == frozenset()
    gpus = tmp_path / "driver" / "nvidia" / "gpus"
    gpus.mkdir(parents=True)
    (gpus.parent / "version").write_text("NVRM version\n")
    assert signs(tmp_path) == {"loaded"}
    (gpus / "0000:07:00.0").mkdir()
    assert signs(tmp_path) == {"loaded", "0000:07:00.0"}
