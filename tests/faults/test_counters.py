"""Energy counters of GPUs that stand still, jump, or begin anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.agents import total
from fake_driver.presets import h100
from faults.bench import FAULTS, LAG_S, Rack, energy_j, faulty, up, watched

IDLE_W = 70.0
SOON_S = 0.5
STUCK_S = 4.0
MILLION_J = 1e9
"""In millijoules, as NVML counts."""


def test_counters_that_stick_jump_and_begin_anew(tmp_path: Path) -> None:
    """Five GPUs with one load: beside each that is ill stands one that is well."""
    gpus = [h100(number) for number in range(5)]
    well, stuck, ahead, back, anew = gpus
    rack = Rack(tmp_path, *gpus)
    with watched(rack) as witness:
        witness.until(lambda series: up(*(gpu.uuid for gpu in gpus))(series) and energy_j(series, well) > 0)
        at_s = rack.now_s() + SOON_S
        rack.becomes(
            well,
            h100(1, stuck_s=((at_s, at_s + STUCK_S),)),
            h100(2, jumps_mj=((at_s, MILLION_J),)),
            h100(3, jumps_mj=((at_s, -MILLION_J),)),
            h100(4, resets_s=(at_s,)),
        )
        told = {stuck: "counter_stuck", ahead: "implausible", back: "counter_reset", anew: "counter_reset"}
        witness.until(lambda series: all(faulty(gpu.uuid, reason)(series) for gpu, reason in told.items()))
        integrated = f'device="{stuck.uuid}",driver="570.86.15",index="1",kind="gpu",method="integrated"'
        witness.agent.until(integrated)
        witness.agent.until(integrated.replace("integrated", "counter"))
        series = witness.rest(LAG_S)
        for gpu in (stuck, ahead, back, anew):
            lacking_j = energy_j(series, well) - energy_j(series, gpu)
            assert -0.5 * IDLE_W <= lacking_j <= 1.0 * IDLE_W, gpu
            assert up(gpu.uuid)(series)
        assert all(total(series, FAULTS, device=gpu.uuid, reason=reason) == 1 for gpu, reason in told.items())
        assert sum(total(series, FAULTS, device=well.uuid, reason=reason) for reason in told.values()) == 0
        witness.ends_well()


@pytest.mark.parametrize("amount_mj", [MILLION_J, -MILLION_J])
def test_a_counter_that_jumps_again_and_again(amount_mj: float, tmp_path: Path) -> None:
    well, ill = h100(0), h100(1)
    rack = Rack(tmp_path, well, ill)
    with watched(rack) as witness:
        witness.until(lambda series: up(well.uuid, ill.uuid)(series) and energy_j(series, well) > 0)
        at_s = rack.now_s() + SOON_S
        rack.becomes(well, h100(1, jumps_mj=tuple((at_s + number / 2, amount_mj) for number in range(6))))
        reason = "implausible" if amount_mj > 0 else "counter_reset"
        witness.until(faulty(ill.uuid, reason, times=6))
        series = witness.rest(LAG_S)
        assert energy_j(series, ill) == pytest.approx(energy_j(series, well), rel=0.1)
        assert energy_j(series, ill) <= energy_j(series, well) + IDLE_W
        witness.ends_well()
