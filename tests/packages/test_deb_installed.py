"""The Debian package on a machine: installed, used, upgraded and purged."""

from __future__ import annotations

import json
import os
import pwd
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aipower import __version__
from packages.tools import need_root, run, unable

pytestmark = pytest.mark.timeout(600)

DEADLINE_S = 60.0
UNIT = "etc/systemd/system/multi-user.target.wants/aipower.service"
PAGE = "http://127.0.0.1:19879/metrics"


def test_the_package_is_installed_used_upgraded_and_purged(deb: Path, tmp_path: Path) -> None:
    """One test, because the machine has one list of packages."""
    need_root()
    if subprocess.run(["dpkg", "--status", "aipower"], capture_output=True, check=False).returncode == 0:
        unable("aipower is installed on this machine already")
    if Path("/run/systemd/system").exists() and not os.environ.get("CI"):
        pytest.skip("it would start a service on this machine: set CI=true to let it")
    try:
        run("dpkg", "--install", deb)
        check_installation()
        check_commands(tmp_path)
        check_agent()
        check_upgrade(deb)
        run("dpkg", "--remove", "aipower")
        assert not Path("/usr/bin/aipower").exists()
        assert Path("/etc/aipower/aipower.toml").read_text().startswith("# of the administrator")
        assert Path("/var/lib/aipower/kept").exists()
    finally:
        run("dpkg", "--purge", "aipower")
    check_nothing_is_left()


def check_installation() -> None:
    """The user is there, locked, and the service is enabled; it runs where systemd does."""
    account = pwd.getpwnam("aipower")
    assert (account.pw_dir, Path(account.pw_shell).name) == ("/", "nologin")
    assert run("getent", "shadow", "aipower").split(":")[1].startswith("!")
    assert (Path("/") / UNIT).is_symlink()
    state = Path("/var/lib/aipower").stat()
    assert (state.st_uid, oct(state.st_mode & 0o777)) == (account.pw_uid, "0o700")
    if Path("/run/systemd/system").exists():
        assert run("systemctl", "is-active", "aipower").strip() == "active"


def check_commands(folder: Path) -> None:
    """Both commands run, whatever the caller's environment says, and leave no trace in what they measure."""
    misled = os.environ | {"PYTHONPATH": str(folder), "PYTHONHOME": "/nonexistent"}
    (folder / "aipower.py").write_text("raise SystemExit('the wrong module')\n")
    assert run("/usr/bin/aipower", "--version", env=misled, cwd=folder).strip() == f"aipower {__version__}"
    assert run("/usr/bin/aipower-run", "-q", "true", env=misled) == ""
    record = folder / "run.json"
    run("/usr/bin/aipower-run", "--sensors", "fake", "--json", record, "sh", "-c", "sleep 0.3")
    assert all(device["energy_j"] > 0 for device in json.loads(record.read_text())["devices"])
    ours = {"PATH": "/usr/bin:/bin", "MARK": "1"}
    seen = dict(line.split("=", 1) for line in run("/usr/bin/aipower-run", "-q", "env", env=ours).splitlines())
    assert {key: value for key, value in seen.items() if not key.startswith("AIPOWER_")} == ours
    assert list(Path("/usr/lib/aipower/aipower/__pycache__").glob("*.pyc"))


def check_agent() -> None:
    """As its own user, without any capability, the agent serves and sees the processor time of root's processes."""
    with busy_process() as busy, agent() as process:
        wait_for(
            rf'aipower_process_energy_joules_total\{{[^}}]*kind="cpu"[^}}]*pid="{busy}"[^}}]*\}} (?!0\.0$)', process
        )
        rights = Path(f"/proc/{process.pid}/status").read_text()
        assert re.findall(r"^Cap(?:Prm|Eff|Bnd|Amb):\s+(\w+)$", rights, re.MULTILINE) == ["0" * 16] * 4
        assert re.search(rf"^Uid:\s+{pwd.getpwnam('aipower').pw_uid}\s", rights, re.MULTILINE)


@contextmanager
def busy_process() -> Iterator[int]:
    """The pid of a process of root that computes."""
    process = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@contextmanager
def agent() -> Iterator[subprocess.Popen[str]]:
    """The installed agent with the user, the rights and the folders of the unit; it must end well."""
    rights = ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"]
    as_user = ["setpriv", "--reuid=aipower", "--regid=aipower", "--clear-groups", *rights]
    command = ["/usr/bin/aipower", "agent", "--sensors", "fake", "--listen", "127.0.0.1:19879", "--interval-s", "0.5"]
    # No socket: other tests on this machine would find it.
    folders = {"STATE_DIRECTORY": "/var/lib/aipower", "AIPOWER_SOCKET": "none"}
    process = subprocess.Popen([*as_user, *command], env={"PATH": "/usr/bin:/bin", **folders}, text=True, cwd="/")
    try:
        yield process
    finally:
        process.terminate()
        code = process.wait(timeout=DEADLINE_S)
    assert code == 0


def wait_for(pattern: str, process: subprocess.Popen[str]) -> None:
    """Returns when a line of the metrics begins with `pattern`."""
    deadline_s = time.monotonic() + DEADLINE_S
    page = ""
    while not re.search(f"^{pattern}", page, re.MULTILINE):
        assert process.poll() is None, "the agent has ended"
        assert time.monotonic() < deadline_s, f"no {pattern} in\n{page}"
        time.sleep(0.2)
        try:
            with urllib.request.urlopen(PAGE, timeout=5) as answer:
                page = answer.read().decode()
        except urllib.error.URLError:
            continue


def check_upgrade(deb: Path) -> None:
    """Counters and the administrator's settings stay."""
    Path("/var/lib/aipower/kept").write_text("kept")
    settings = Path("/etc/aipower/aipower.toml")
    settings.write_text("# of the administrator\n" + settings.read_text())
    run("dpkg", "--install", "--force-confold", deb)
    assert Path("/var/lib/aipower/kept").read_text() == "kept"
    assert settings.read_text().startswith("# of the administrator")
    assert (Path("/") / UNIT).is_symlink()


def check_nothing_is_left() -> None:
    """No file; the locked user stays, as Debian does it, and owns nothing."""
    places = ("etc/aipower", "var/lib/aipower", "run/aipower", "usr/lib/aipower", "usr/bin/aipower", UNIT)
    assert [place for place in places if (Path("/") / place).exists() or (Path("/") / place).is_symlink()] == []
    state = Path("/var/lib/systemd")
    assert [path for path in state.glob("deb-systemd-helper-*/**/*aipower*") if path.is_file()] == []
    for place in ("/etc", "/var/lib", "/run", "/usr/lib"):
        assert run("find", place, "-xdev", "-user", "aipower", "-print") == ""
