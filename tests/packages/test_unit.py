"""The files for systemd and udev, held against Debian's own tools. No service manager needs to run."""

from __future__ import annotations

import fnmatch
import grp
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from packages.tools import ROOT, need, need_root, run

SYSTEMD = ROOT / "systemd"
MOST_EXPOSED = 2.0
"""Of 10, as `systemd-analyze security` counts; issue 4."""


@pytest.fixture(name="unit")
def make_unit(tmp_path: Path) -> Path:
    """The unit, with a program that exists here."""
    need("systemd-analyze", "systemd")
    copy = tmp_path / "aipower.service"
    copy.write_text((SYSTEMD / "aipower.service").read_text().replace("/usr/bin/aipower agent", "/bin/true"))
    return copy


def settings() -> dict[str, list[str]]:
    """The unit's settings, each with its values in order."""
    found: dict[str, list[str]] = {}
    for line in (SYSTEMD / "aipower.service").read_text().splitlines():
        if match := re.fullmatch(r"(\w+)=(.*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def test_systemd_accepts_the_unit(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_is_little_exposed(unit: Path) -> None:
    run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}", "--no-pager", unit)
    rows = json.loads(run("systemd-analyze", "security", "--offline=true", "--json=short", "--no-pager", unit))
    open_ones = {row["json_field"] for row in rows if row["set"] is False}
    # What a meter cannot do without; each is explained in the unit.
    assert open_ones <= {
        "PrivateDevices", "DeviceAllow", "PrivateNetwork", "PrivateUsers", "IPAddressDeny", "ProtectProc",
        "ProcSubset", "RootDirectoryOrRootImage", "RestrictAddressFamilies_AF_UNIX",
        "RestrictAddressFamilies_AF_INET_INET6", "MemoryDenyWriteExecute",
    }  # fmt: skip


def test_the_service_has_no_capability_and_a_user_of_its_own() -> None:
    unit = settings()
    assert (unit["CapabilityBoundingSet"], unit["AmbientCapabilities"]) == ([""], [""])
    assert (unit["User"], unit["Group"], unit["NoNewPrivileges"]) == (["aipower"], ["aipower"], ["yes"])


def test_nobody_has_to_start_the_service_again() -> None:
    unit = settings()
    assert (unit["Restart"], unit["StartLimitIntervalSec"]) == (["always"], ["0"])
    assert unit["Type"] == ["notify"]
    assert int(unit["WatchdogSec"][0]) > int(unit["RestartSec"][0]) > 0
    assert unit["TimeoutStopSec"] == ["10"]


def test_all_device_nodes_of_the_driver_are_allowed() -> None:
    """`nvidia-frontend` is what drivers before 545 register, `nvidia-caps` is for MIG."""
    allowed = [value.removeprefix("char-").split()[0] for value in settings()["DeviceAllow"]]
    for name in ("nvidia", "nvidia-frontend", "nvidiactl", "nvidia-uvm", "nvidia-caps"):
        assert any(fnmatch.fnmatch(name, pattern) for pattern in allowed), name
    assert "195" in allowed  # names are unknown while the driver is not loaded, its number is not


def test_sysusers_makes_the_user(tmp_path: Path) -> None:
    need("systemd-sysusers", "systemd")
    need_root()
    (tmp_path / "etc").mkdir()
    run("systemd-sysusers", f"--root={tmp_path}", SYSTEMD / "aipower.sysusers")
    name, _, uid, _, _, home, shell = (tmp_path / "etc/passwd").read_text().splitlines()[-1].split(":")
    assert (name, home) == ("aipower", "/")
    assert 0 < int(uid) < 1000
    assert shell.endswith("nologin")
    assert "aipower:!" in (tmp_path / "etc/shadow").read_text()


def test_tmpfiles_makes_the_folders(tmp_path: Path) -> None:
    need("systemd-tmpfiles", "systemd")
    need_root()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("aipower:x:777:778::/:/usr/sbin/nologin\n")
    (tmp_path / "etc/group").write_text("aipower:x:778:\n")
    run("systemd-tmpfiles", "--create", f"--root={tmp_path}", SYSTEMD / "aipower.tmpfiles")
    made = {name: (tmp_path / name).stat() for name in ("run/aipower", "var/lib/aipower")}
    assert {name: oct(status.st_mode & 0o7777) for name, status in made.items()} == {
        "run/aipower": "0o755",
        "var/lib/aipower": "0o700",
    }
    assert {(status.st_uid, status.st_gid) for status in made.values()} == {(777, 778)}


def test_the_unit_and_tmpfiles_agree() -> None:
    unit = settings()
    rows = [line.split() for line in (SYSTEMD / "aipower.tmpfiles").read_text().splitlines() if line.startswith("d ")]
    assert {row[1]: row[2] for row in rows} == {
        f"/run/{unit['RuntimeDirectory'][0]}": unit["RuntimeDirectoryMode"][0],
        f"/var/lib/{unit['StateDirectory'][0]}": unit["StateDirectoryMode"][0],
    }


def test_the_rule_opens_the_counters_to_the_group_and_to_nobody_else(tmp_path: Path) -> None:
    """Its commands, run as udev does: one after the other, words split as by a shell, %p the device below /sys."""
    rule = next(line for line in (SYSTEMD / "60-aipower.rules").read_text().splitlines() if line.startswith("ACTION"))
    commands = re.findall(r'RUN\+="([^"]+)"', rule)
    assert ['SUBSYSTEM=="powercap"' in rule, 'TEST=="energy_uj"' in rule, len(commands)] == [True, True, 2]
    counter = tmp_path / "devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj"
    counter.parent.mkdir(parents=True)
    counter.write_text("1\n")
    counter.chmod(0o400)
    group = grp.getgrgid(os.getgid()).gr_name
    for command in commands:
        words = shlex.split(command.replace("/sys%p", str(counter.parent)).replace("aipower", group, 1))
        subprocess.run(words, check=True, timeout=30)
    status = counter.stat()
    assert (status.st_gid, oct(status.st_mode & 0o777)) == (os.getgid(), "0o440")
