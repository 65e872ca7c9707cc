"""Machines for the doctor, built in a directory; healthy unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from aipower.doctor.finding import Check, Finding, Result
from aipower.doctor.world import Answer, ClockFacts, World

HOST_PID = "pid:[4026531836]"
STAT = "1 (init) S 0 1 1 0 -1 4194560 9 8 7 6 10 20 30 40 20 0 1 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 3 0 0 0 0 0\n"
CPUINFO = "".join(f"processor\t: {number}\nphysical id\t: 0\nflags\t\t: fpu tsc\n\n" for number in range(4))
OK_BODY = '{"status":"ok","sample_age_s":0.25}\n'
NOON_2026 = 1_780_000_000.0


class FakeNvmlError(Exception):
    """Looks like pynvml's error."""

    def __init__(self, value: int) -> None:
        super().__init__(f"code {value}")
        self.value = value


class FakeNvml:
    """A module that answers each function from a table; an int in `codes` is the error of a function."""

    NVMLError = FakeNvmlError

    def __init__(self, codes: dict[str, int] | None = None, **answers: object) -> None:
        self.codes = codes or {}
        self.answers = {"nvmlInit": None, "nvmlDeviceGetCount": 0, **answers}

    def __getattr__(self, name: str) -> Any:
        def function(*_arguments: object) -> object:
            if name in self.codes:
                raise FakeNvmlError(self.codes[name])
            if name not in self.answers:
                raise FakeNvmlError(13)
            return self.answers[name]

        if name.startswith("nvml"):
            return function
        raise AttributeError(name)


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def link(path: Path, target: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def plant_system(root: Path) -> None:
    """A /proc, /sys and /etc of a healthy host without GPU and RAPL."""
    put(root / "proc/sys/kernel/osrelease", "6.8.0-test\n")
    put(root / "proc/cpuinfo", CPUINFO)
    put(root / "proc/1/stat", STAT)
    put(root / "proc/self/mountinfo", "22 27 0:21 / /proc rw,relatime - proc proc rw\n")
    link(root / "proc/self/ns/pid", HOST_PID)
    put(root / "sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n")
    put(root / "etc/os-release", 'NAME="Test"\nPRETTY_NAME="Test Linux 1"\n')


def facts(**changes: float) -> Callable[[object], ClockFacts]:
    found = replace(ClockFacts(1e-9, 7e-8, NOON_2026, 0.0), **changes)
    return lambda _clock: found


def versions(**known: str) -> Callable[[str], str]:
    table = {"aipower": "0.1.0", "nvidia_ml_py": "13.1", **known}
    return lambda name: table.get(name.replace("-", "_"), "")


def nvml_is(module: object) -> Callable[[], Any]:
    return lambda: module


def raises(error: BaseException) -> Callable[..., Any]:
    def fail(*_arguments: object) -> Any:
        raise error

    return fail


def make_world(root: Path, **changes: Any) -> World:
    """A world below `root`, in which everything that is not a file answers well."""
    if not (root / "proc").exists():
        plant_system(root)
    healthy = World(
        proc=root / "proc",
        sysfs=root / "sys",
        etc=root / "etc",
        clocks=facts(),
        load_nvml=nvml_is(FakeNvml({"nvmlInit": 12})),
        installed=versions(),
        subreaper_refusal=lambda: "",
        get=lambda _address, _path: Answer(200, OK_BODY),
        connects=lambda _path: False,
        python=(3, 12, 1),
        executable="/usr/bin/python3",
        architecture="x86_64",
    )
    return replace(healthy, **changes)


def check(identifier: str, ask: Callable[[], Result], limit_s: float = 60.0) -> Check:
    return Check(identifier, identifier.upper(), ask, limit_s)


def by_id(findings: Sequence[Finding]) -> dict[str, Finding]:
    named = {finding.id: finding for finding in findings}
    assert len(named) == len(findings), "two findings have one id"
    return named
