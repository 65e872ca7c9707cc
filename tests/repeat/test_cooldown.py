"""Waiting for idle power, in time that the test owns."""

import math
from collections.abc import Callable, Mapping

import pytest

from aipower.errors import SensorFailedError
from aipower.model import Device
from aipower.run.repeat.cooldown import LEARN_S, MOST_S, Waited, learn_idle_w, limit_w, wait_for_idle
from aipower.run.repeat.powers import MEAN_S, Powers
from aipower.seams import SensorSet, SensorTraits
from fakes import CPU, GPU, FakeClock, ScriptedSensor

Power = Callable[[float], float | None]
GPU_1 = Device("GPU-1", "gpu", "H100", "1")


def powered(clock: FakeClock, **powers_w: Power) -> SensorSet:
    """Sensors by the names in `DEVICES`, each of a power that is a function of time."""
    devices = {"gpu": GPU, "gpu1": GPU_1, "cpu": CPU}
    return SensorSet([sensor(clock, power_w, devices[name]) for name, power_w in powers_w.items()])


def sensor(clock: FakeClock, power_w: Power, device: Device) -> ScriptedSensor:
    return ScriptedSensor(clock, lambda at_s: (None, power_w(at_s)), device)


def cooling(clock: FakeClock, hot_w: float, idle_w: float, time_s: float) -> Power:
    """Falls from `hot_w` to `idle_w`, by e in `time_s`, from now on."""
    began_s = clock.monotonic_s()
    return lambda at_s: idle_w + (hot_w - idle_w) * math.exp(-(at_s - began_s) / time_s)


def never() -> bool:
    return False


def wait(found: SensorSet, clock: FakeClock, idle_w: Mapping[str, float], **more: object) -> Waited:
    return wait_for_idle(idle_w, lambda: found, clock, never, lambda _: None, **more)  # type: ignore[arg-type]


def test_idle_power_is_the_mean_of_what_was_seen() -> None:
    clock = FakeClock()
    found = powered(clock, gpu=lambda at_s: 70.0 + 5 * math.sin(40 * at_s), cpu=lambda _: 50.0)
    idle_w = learn_idle_w(lambda: found, clock, never)
    assert idle_w == {"GPU-0": pytest.approx(70.0, abs=0.7), "package-0": pytest.approx(50.0)}
    assert clock.monotonic_s() == pytest.approx(LEARN_S, abs=0.1)


def test_idle_power_of_a_counter_is_learned_too() -> None:
    clock = FakeClock()
    counter = ScriptedSensor(clock, lambda at_s: (42_000 * int(at_s * 1000), None), CPU, SensorTraits(0.001))
    assert learn_idle_w(lambda: SensorSet([counter]), clock, never) == {"package-0": pytest.approx(42.0, rel=0.02)}


def test_sensors_are_closed_after_each_use() -> None:
    clock = FakeClock()
    gpu = sensor(clock, lambda _: 70.0, GPU)
    learn_idle_w(lambda: SensorSet([gpu]), clock, never)
    assert gpu.closed == 1
    wait(SensorSet([gpu]), clock, {"GPU-0": 70.0})
    assert gpu.closed == 2


def test_device_without_a_power_has_no_idle_power() -> None:
    clock = FakeClock()

    def fail(_: float) -> float | None:
        raise SensorFailedError("not_supported")

    found = powered(clock, gpu=fail, cpu=lambda _: None)
    assert learn_idle_w(lambda: found, clock, never) == {}


@pytest.mark.parametrize(("idle_w", "limit"), [(10.0, 12.0), (66.0, 68.0), (100.0, 103.0), (700.0, 721.0)])
def test_near_is_three_percent_or_two_watts(idle_w: float, limit: float) -> None:
    assert limit_w(idle_w) == pytest.approx(limit)


def test_cool_device_is_waited_for_no_longer_than_its_mean_takes() -> None:
    clock = FakeClock()
    waited = wait(powered(clock, gpu=lambda _: 70.5), clock, {"GPU-0": 70.0})
    assert waited.warm == {}
    assert waited.seconds == pytest.approx(MEAN_S, abs=0.15)


def test_hot_device_is_waited_for_until_its_mean_is_back() -> None:
    clock = FakeClock()
    waited = wait(powered(clock, gpu=cooling(clock, 400.0, 70.0, 4.0)), clock, {"GPU-0": 70.0})
    assert waited.warm == {}
    # 70 W + 330 W exp(-t / 4 s) is below 72.1 W from 20.2 s on, and a mean of the last moment lags by half of it.
    assert waited.seconds == pytest.approx(20.2 + MEAN_S / 2, abs=0.3)


def test_all_devices_are_waited_for() -> None:
    clock = FakeClock()
    found = powered(clock, gpu=lambda _: 70.0, cpu=lambda at_s: 90.0 if at_s < 7 else 50.0)
    waited = wait(found, clock, {"GPU-0": 70.0, "package-0": 50.0})
    assert waited.seconds == pytest.approx(7 + MEAN_S, abs=0.3)


def test_device_that_stays_hot_is_given_up_and_told() -> None:
    clock = FakeClock()
    waited = wait(powered(clock, gpu=lambda _: 90.0, cpu=lambda _: 50.0), clock, {"GPU-0": 70.0, "package-0": 50.0})
    assert waited.seconds == pytest.approx(MOST_S, abs=0.1)
    assert {device: tuple(map(round, at)) for device, at in waited.warm.items()} == {"GPU-0": (90, 70)}


def test_device_below_its_idle_power_is_back() -> None:
    clock = FakeClock()
    assert wait(powered(clock, gpu=lambda _: 40.0), clock, {"GPU-0": 70.0}).seconds < 2


def test_neighbour_that_the_run_does_not_use_is_not_waited_for() -> None:
    clock = FakeClock()
    found = powered(clock, gpu=lambda _: 70.0, gpu1=lambda _: 600.0)
    idle_w = {"GPU-0": 70.0, "GPU-1": 70.0}
    assert wait(found, clock, idle_w, watched={"GPU-0"}).seconds < 2
    assert wait(found, clock, idle_w, watched=None).seconds > 50


def test_device_that_is_not_to_be_seen_any_more_is_not_waited_for() -> None:
    clock = FakeClock()
    waited = wait(powered(clock, cpu=lambda _: 50.0), clock, {"GPU-0": 70.0, "package-0": 50.0})
    assert waited.warm == {}
    assert waited.seconds <= LEARN_S + 0.1


def test_nothing_is_waited_for_once_we_are_not_wanted() -> None:
    clock = FakeClock()
    found = powered(clock, gpu=lambda _: 600.0)
    waited = wait_for_idle({"GPU-0": 70.0}, lambda: found, clock, lambda: clock.monotonic_s() > 3, lambda _: None)
    assert waited.seconds == pytest.approx(3.0, abs=0.1)


def test_what_is_not_back_yet_is_told_meanwhile() -> None:
    clock = FakeClock()
    told: list[Mapping[str, tuple[float, float]]] = []
    found = powered(clock, gpu=lambda at_s: 200.0 if at_s < 2 else 70.0)
    wait_for_idle({"GPU-0": 70.0}, lambda: found, clock, never, told.append)
    assert {"GPU-0": (200, 70)} in [{device: tuple(map(round, at)) for device, at in one.items()} for one in told]


def test_mean_power_forgets_what_is_old() -> None:
    clock = FakeClock()
    powers = Powers(powered(clock, gpu=lambda at_s: 300.0 if at_s < 5 else 100.0), clock)
    for _ in range(140):
        powers.look()
        clock.sleep(0.05)
    assert powers.means_w() == {"GPU-0": pytest.approx(100.0)}


def test_device_that_fails_has_no_power_until_it_was_seen_long_enough_again() -> None:
    clock = FakeClock()

    def read(at_s: float) -> float | None:
        if 2 <= at_s < 3:
            raise SensorFailedError("driver_error")
        return 80.0

    powers = Powers(powered(clock, gpu=read), clock)
    seen: dict[float, bool] = {}
    for _ in range(100):
        powers.look()
        seen[round(clock.monotonic_s(), 2)] = bool(powers.means_w())
        clock.sleep(0.05)
    assert [seen[at_s] for at_s in (0.5, 1.5, 2.5, 3.5, 4.5)] == [False, True, False, False, True]
