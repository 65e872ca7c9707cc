"""The driver as a whole: loaded late, loaded anew, of another version than its library."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.agents import total
from fake_driver.presets import h100
from faults.bench import ENERGY, FAULTS, LAG_S, Rack, devices, down, energy_j, faulty, unloaded, up, watched


@pytest.mark.parametrize(("code", "told"), [(9, "is not loaded"), (18, "of different versions")])
def test_a_driver_that_is_usable_later_is_found(code: int, told: str, tmp_path: Path) -> None:
    gpu = h100(0)
    rack = Rack(tmp_path, gpu, faults=unloaded(code))
    with watched(rack) as witness:
        witness.agent.until_healthy()
        witness.agent.until_logged(told)
        assert devices(witness.look(), ENERGY) == set()
        loaded_s = rack.now_s()
        witness.recovers(up(gpu.uuid), rack.becomes(faults=()))
        series = witness.rest(LAG_S)
        assert 0 < energy_j(series, gpu) <= rack.true_j(gpu, loaded_s)
        assert witness.ends_well().count(told) == 1


def test_a_driver_that_is_loaded_anew(tmp_path: Path) -> None:
    """Unloaded, of another version than the library, and back: with new sessions, new handles, counters at 0."""
    one, other = h100(0), h100(1)
    both = (one.uuid, other.uuid)
    rack = Rack(tmp_path, one, other)
    with watched(rack) as witness:
        witness.until(lambda series: up(*both)(series) and energy_j(series, one) > 0)
        rack.becomes(faults=unloaded(9))
        witness.until(down(*both))
        rack.becomes(faults=unloaded(18), epoch=1)
        began_s = rack.now_s()
        gone = witness.rest(3)
        assert down(*both)(gone)
        fresh = [h100(number, resets_s=(rack.now_s(),)) for number in range(2)]
        away_s = rack.now_s() - began_s
        witness.recovers(up(*both), rack.becomes(*fresh, faults=()))
        back_s = rack.now_s()
        series = witness.rest(LAG_S)
        for gpu in (one, other):
            assert faulty(gpu.uuid, "gone")(series)
            risen_j = energy_j(series, gpu) - energy_j(gone, gpu)
            assert 0 < risen_j <= rack.true_j(gpu, back_s - 10), (risen_j, away_s)
            assert total(series, FAULTS, device=gpu.uuid, reason="gap") >= 1
        witness.ends_well()
