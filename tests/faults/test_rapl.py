"""The counter of a processor: it wraps, once or more often between two looks, and may be read or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.energy.counter import CounterEnergy
from aipower.seams import SensorTraits
from daemon.agents import Series, total
from fakes import CPU
from faults.bench import ENERGY, FAULTS, UP, Rack, Witness, devices, down, energy_j, faulty, up, watched
from faults.players import ZONE, Player
from sensors.powercap import INTEL_RANGE_UJ

RANGE_UJ = 6_000_000_000
"""At most 2 kW are believed of a package, so that a wrap takes three seconds at least."""


def readable(series: Series) -> bool:
    """True of a page on which the counter can be read, though there may be no power to show."""
    return total(series, UP, device=ZONE) == 1


def settled(witness: Witness, player: Player, missed_uj: int = 0) -> Series:
    """The page that has all that was used, but for `missed_uj`, once nothing more is."""
    player.draw(0)
    used_j = (player.used_uj - missed_uj) / 1e6
    return witness.until(lambda series: energy_j(series, ZONE) == pytest.approx(used_j, abs=0.01))


def test_one_wrap_between_two_looks_is_counted_and_two_are_a_gap(tmp_path: Path) -> None:
    rack = Rack(tmp_path)
    with (
        Player(tmp_path / "powercap", RANGE_UJ, start_uj=RANGE_UJ - 200_000_000) as player,
        watched(rack, env=player.variables) as witness,
    ):
        witness.until(readable)
        player.draw(200)
        time.sleep(2)
        player.use(500_000_000)
        series = settled(witness, player)
        assert all(total(series, FAULTS, device=ZONE, reason=r) == 0 for r in ("gap", "counter_reset", "implausible"))
        known_uj = player.used_uj
        os.kill(witness.agent.process.pid, signal.SIGSTOP)
        time.sleep(7)
        player.use(2 * player.modulus_uj + 100_000_000)
        os.kill(witness.agent.process.pid, signal.SIGCONT)
        since_s = time.monotonic()
        witness.recovers(faulty(ZONE, "gap"), since_s)
        missed_uj = player.used_uj - known_uj
        player.draw(200)
        witness.recovers(up(ZONE), since_s)
        time.sleep(1)
        settled(witness, player, missed_uj)
        witness.ends_well()


LOOKS = st.lists(st.tuples(st.floats(0.01, 20.0), st.floats(0.0, 2000.0)), max_size=30)


@given(LOOKS)
def test_no_number_of_wraps_makes_a_wrong_energy(looks: list[tuple[float, float]]) -> None:
    """After each pause the power of it; what is missing of the truth was told as a gap."""
    traits = SensorTraits(0.001, RANGE_UJ + 1, 2000.0)
    counter = CounterEnergy(CPU, traits)
    now_s, used_uj, found_uj, missing_uj = 100.0, 0, 0, 0
    counter.advance(now_s, 0)
    for pause_s, power_w in looks:
        now_s += pause_s
        step_uj = round(pause_s * power_w * 1e6)
        used_uj += step_uj
        step = counter.advance(now_s, used_uj % (RANGE_UJ + 1))
        found_uj += sum(delta.energy_uj for delta in step.deltas)
        if step.fault is not None:
            assert step.fault.reason == "gap"
            missing_uj += step_uj
    found_uj += sum(delta.energy_uj for delta in counter.flush())
    assert found_uj == used_uj - missing_uj


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def as_somebody_else() -> Sequence[str] | None:
    """What makes a command that of a user who may not read everything; None where no such user can run this Python."""
    if os.geteuid() != 0:
        return ()
    prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    try:
        subprocess.run([*prefix, sys.executable, "-c", "import aipower"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return prefix


def test_the_right_to_read_comes_is_lost_and_is_given_back(open_folder: Path) -> None:
    rack, prefix = Rack(open_folder), as_somebody_else()
    by_mode = prefix is not None
    env = {"HOME": str(open_folder), "XDG_CONFIG_HOME": str(open_folder)}
    with Player(open_folder / "powercap", INTEL_RANGE_UJ) as player:
        player.forbid(by_mode=by_mode)
        with watched(rack, env={**env, **player.variables}, prefix=prefix or ()) as witness:
            witness.agent.until_logged("CPU (RAPL) not measured")
            assert ZONE not in devices(witness.look(), ENERGY)
            player.allow()
            witness.recovers(readable, time.monotonic())
            player.draw(50)
            player.path.chmod(0)
            assert up(ZONE)(witness.rest(2)), "a counter that is open stays so, as in sysfs"
            player.forbid(by_mode=by_mode)
            witness.until(down(ZONE))
            witness.rest(2)
            player.allow()
            witness.recovers(up(ZONE), time.monotonic())
            assert faulty(ZONE, "read_failed")(settled(witness, player)), "the counter had gone on"
            witness.ends_well()
