"""PID namespace, visibility of processes and the subreaper call."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from aipower.doctor import processes
from aipower.doctor.world import subreaper_refusal
from doctor.worlds import link, make_world, put

MOUNT = "22 27 0:21 / /proc rw,nosuid - proc proc rw{}\n"


def test_namespace_of_the_host(tmp_path: Path) -> None:
    result = processes.pid_namespace(make_world(tmp_path))
    assert (result.verdict, result.remedy) == ("ok", "")


def test_namespace_of_a_container(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    (world.proc / "self/ns/pid").unlink()
    link(world.proc / "self/ns/pid", "pid:[4026532999]")
    result = processes.pid_namespace(world)
    assert result.verdict == "warn"
    assert "4026532999" in result.found
    assert "--pid=host" in result.remedy


def test_namespace_that_cannot_be_read(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    (world.proc / "self/ns/pid").unlink()
    result = processes.pid_namespace(world)
    assert (result.verdict, result.found) == ("skip", "cannot be told: No such file or directory")


def test_all_processes_can_be_seen(tmp_path: Path) -> None:
    assert processes.accounting(make_world(tmp_path)).verdict == "ok"


@pytest.mark.parametrize("option", ["1", "2", "invisible", "noaccess", "ptraceable"])
def test_hidden_processes_warn_with_the_mount_option(tmp_path: Path, option: str) -> None:
    world = make_world(tmp_path)
    (world.proc / "1/stat").unlink()
    put(world.proc / "self/mountinfo", MOUNT.format(f",gid=5,hidepid={option}"))
    result = processes.accounting(world)
    assert result.verdict == "warn"
    assert f"hidepid={option}" in result.found
    assert "mount -o remount,hidepid=0 /proc" in result.remedy


def test_hidden_processes_without_a_known_cause(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    (world.proc / "1/stat").unlink()
    result = processes.accounting(world)
    assert result.verdict == "warn"
    assert "/proc/1/stat cannot be read" in result.found


def test_hidepid_does_not_matter_to_whom_it_spares(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    put(world.proc / "self/mountinfo", MOUNT.format(",hidepid=2"))
    result = processes.accounting(world)
    assert result.verdict == "ok"
    assert "hidepid=2" in result.found


@pytest.mark.parametrize("lines", [
    MOUNT.format(",hidepid=0"), MOUNT.format(",hidepid=off"), "", "garbage\n\x00 - \n - - -\n", "1 2 3 4 /proc - proc",
    MOUNT.format(",hidepid=2").replace(" /proc ", " /elsewhere "),
    MOUNT.format(",hidepid=2") + MOUNT.format(""),
])  # fmt: skip
def test_mounts_that_hide_nothing(tmp_path: Path, lines: str) -> None:
    world = make_world(tmp_path)
    put(world.proc / "self/mountinfo", lines)
    assert "hidepid" not in processes.accounting(world).found


def test_garbage_in_stat_does_not_break(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    (world.proc / "1/stat").write_bytes(b"\xff\x00((")
    assert processes.accounting(world).verdict == "warn"


def test_subreaper(tmp_path: Path) -> None:
    assert processes.subreaper(make_world(tmp_path)).verdict == "ok"
    refused = processes.subreaper(make_world(tmp_path, subreaper_refusal=lambda: "EPERM"))
    assert refused.verdict == "warn"
    assert "EPERM" in refused.found
    assert "prctl" in refused.remedy


def test_asking_for_the_subreaper_call_sets_nothing() -> None:
    """In a process of its own: whatever this one is, the child's mark must stay unset."""
    program = (
        "import ctypes; from aipower.doctor.world import subreaper_refusal;"
        "print(repr(subreaper_refusal()));"
        "mark = ctypes.c_int(7); print(ctypes.CDLL(None).prctl(37, ctypes.byref(mark), 0, 0, 0), mark.value)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["''", "0", "0"]
    assert subreaper_refusal() in {"", *errno.errorcode.values()}
