"""Scripts that are wrong: refused with a reason, and never a crash of the process that loads them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fake_driver.build import strictest
from fake_driver.client import Driver, connect
from fake_driver.presets import a100, h100
from fake_driver.script import (
    Busy,
    EnergyCounter,
    FaultRule,
    Machine,
    Process,
    Ramp,
    Sampler,
    Segment,
    Square,
)

UNINITIALIZED, UNKNOWN = 1, 999

GARBAGE = {
    "empty": b"",
    "binary": bytes(range(256)),
    "other header": b"some other file\n",
    "no t0": b"aipower-fake-nvml 1\ndriver 1\n",
    "unknown keyword": b"aipower-fake-nvml 1\nt0 0\ncolour red\n",
    "unknown keyword of a gpu": b"aipower-fake-nvml 1\nt0 0\ngpu\ncolour red\n",
    "gpu's keyword without a gpu": b"aipower-fake-nvml 1\nt0 0\nidle 70\n",
    "not a number": b"aipower-fake-nvml 1\nt0 now\n",
    "nan": b"aipower-fake-nvml 1\nt0 nan\n",
    "missing value": b"aipower-fake-nvml 1\nt0 0\ngpu\nsegment 1 2\n",
    "too many values": b"aipower-fake-nvml 1\nt0 0 1\n",
    "backwards": b"aipower-fake-nvml 1\nt0 0\ngpu\nsegment 2 1 100\n",
    "no period": b"aipower-fake-nvml 1\nt0 0\ngpu\nsquare 0 1 100 0 0.5\n",
    "endless ramp": b"aipower-fake-nvml 1\nt0 0\ngpu\nramp 0 inf 1 2\n",
    "busy nobody": b"aipower-fake-nvml 1\nt0 0\ngpu\nbusy 0 1 50\n",
    "unknown mode": b"aipower-fake-nvml 1\nt0 0\ngpu\nenergy guessed 0.1 0 0.1 0\n",
    "no period of the counter": b"aipower-fake-nvml 1\nt0 0\ngpu\nenergy full 0 0 0.1 0\n",
    "negative integer": b"aipower-fake-nvml 1\nt0 0\ngpu\nminor -1\n",
    "huge integer": b"aipower-fake-nvml 1\nt0 0\ngpu\nminor 99999999999999999999999\n",
    "long name": b"aipower-fake-nvml 1\nt0 0\ngpu\nname " + b"x" * 5000 + b"\n",
    "flag": b"aipower-fake-nvml 1\nt0 0\ngpu\npersistence yes\n",
    "rows": b"aipower-fake-nvml 1\nt0 0\ngpu\nquirks 0 0 4000000000 0\n",
    "fine sampler": b"aipower-fake-nvml 1\nt0 0\ngpu\nsampler one 1e-9 10 1\n",
    "fine counter": b"aipower-fake-nvml 1\nt0 0\ngpu\nenergy parttime 1e-9 0 1e-9 0\n",
    "fine window": b"aipower-fake-nvml 1\nt0 0\ngpu\naverage every 1e-9 10 0 1e-9\n",
    "endless delay": b"aipower-fake-nvml 1\nt0 0\nfault 0 1 3 1 inf *\n",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused_with_a_reason(tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / "garbage").write_bytes(garbage)
    extra = {"AIPOWER_FAKE_NVML": str(tmp_path / "garbage")}
    with connect(Machine(), tmp_path, init=False, variant=strictest(), extra=extra) as driver:
        assert driver.code("nvmlInit") == UNKNOWN
        assert driver.code("nvmlDeviceGetCount") == UNINITIALIZED
        assert driver.errors.startswith(f"fake nvml: {tmp_path}/garbage:")
        assert len(driver.errors.splitlines()) == 1


def test_error_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("aipower-fake-nvml 1\n# a comment\n\nt0 0\ngpu\nidle warm\n")
    extra = {"AIPOWER_FAKE_NVML": str(tmp_path / "bad")}
    with connect(Machine(), tmp_path, init=False, extra=extra) as driver:
        driver.code("nvmlInit")
        assert driver.errors == f"fake nvml: {tmp_path}/bad:6: not a number\n"


def test_missing_script_is_refused_and_may_come_later(tmp_path: Path) -> None:
    late = tmp_path / "late"
    with connect(Machine(), tmp_path, init=False, extra={"AIPOWER_FAKE_NVML": str(late)}) as driver:
        assert driver.code("nvmlInit") == UNKNOWN
        assert "cannot open the script" in driver.errors
        Machine((h100(),)).write(late)
        assert driver.code("nvmlInit") == 0
        assert driver.call("nvmlDeviceGetCount") == 1


def whole_machine() -> Machine:
    """A machine whose script has every keyword."""
    shapes = (Segment(0, 10, 100.0), Square(0, 9, 50.0, 0.3, 0.5), Ramp(1, 5, 0.0, 70.0))
    busy = (Busy(0, 9, 40.0), Busy(0, 9, 40.0, period_s=0.5))
    trouble = h100(
        shapes=shapes,
        processes=(Process(11, busy=busy), Process("env:NOBODY", kinds=("graphics", "mps"))),
        sampler=Sampler(garbage_rows=2, zero_rows=True),
        faults=(FaultRule("nvmlDeviceGetName", 0, 5, code=3, probability=0.5),),
        resets_s=(3.0,),
        stuck_s=((4.0, 5.0),),
        jumps_mj=((6.0, 7.0),),
        lost_s=((70.0, 80.0),),
    )
    parttime = a100(1, energy=EnergyCounter("parttime"), module_w=10.0, memory_share=0.1)
    rules = (FaultRule("nvmlDeviceGetClockInfo", code=9),)
    return Machine((trouble, parttime), faults=rules, live=True, epoch=1, wall_steps=((5.0, -3600.0),))


def exercise(driver: Driver) -> None:
    """Calls that reach every part of a GPU's description; their answers may be anything but a crash."""
    for gpu in range(driver.call("nvmlDeviceGetCount")):
        for function in ("nvmlDeviceGetName", "nvmlDeviceGetPciInfo", "nvmlDeviceGetComputeRunningProcesses"):
            driver.code(function, gpu)
        driver.code("nvmlDeviceGetTotalEnergyConsumption", gpu)
        driver.code("nvmlDeviceGetFieldValues", gpu, [83, 185, [185, 1], 186, 187])
        driver.code("nvmlDeviceGetProcessUtilization", gpu, 0)
        driver.code("nvmlDeviceGetUtilizationRates", gpu)


def test_whole_machine_works_in_the_checked_build(tmp_path: Path) -> None:
    with connect(whole_machine(), tmp_path, variant=strictest()) as driver:
        exercise(driver)
        assert driver.errors == ""


nasty_words = st.sampled_from(["", "0", "-1", "nan", "inf", "-inf", "1e308", "99999999999", "x", "0x", "0.5.5"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10), nasty_words), min_size=1, max_size=3))
def test_mutated_scripts_never_crash(changes: list[tuple[int, int, str]]) -> None:
    lines = [line.split(" ") for line in whole_machine().text.splitlines()]
    for line, word, text in changes:
        words = lines[line % len(lines)]
        # A rule's delay is obeyed: 1e308 s of it would be right, and more than a test can wait for.
        if words[0] != "fault":
            words[word % len(words)] = text
    with tempfile.TemporaryDirectory() as name:
        script = Path(name, "mutated")
        script.write_text("\n".join(" ".join(words) for words in lines) + "\n")
        extra = {"AIPOWER_FAKE_NVML": str(script)}
        with connect(Machine(), Path(name), init=False, variant=strictest(), extra=extra) as driver:
            if driver.code("nvmlInit") == 0:
                exercise(driver)
                assert driver.errors == ""
            else:
                assert driver.errors.startswith(f"fake nvml: {script}:")
