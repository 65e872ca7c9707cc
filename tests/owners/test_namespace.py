"""What a real kernel shows of other groups to a reader in a control group namespace, as the agent in its pod is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aipower.model import Owner

ID = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4
UID = "03f3f104-3215-44f2-9686-d4dd1f05a7ed"
ESCAPED = UID.replace("-", "_")
AGENT = (
    f"kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{'0' * 32}.slice/cri-containerd-{OTHER}.scope"
)
POD = Owner("kubernetes", UID, ID)
SLICES = "kubepods.slice/kubepods"
WORKERS = {
    f"{SLICES}-besteffort.slice/kubepods-besteffort-pod{ESCAPED}.slice/cri-containerd-{ID}.scope": POD,
    f"{SLICES}-burstable.slice/kubepods-burstable-pod{ESCAPED}.slice/crio-{ID}.scope": POD,
    f"{SLICES}-pod{ESCAPED}.slice/cri-containerd-{ID}.scope": POD,
    f"kubepods/burstable/pod{UID}/{ID}": POD,
    f"docker/{ID}": Owner("docker", ID),
    "system.slice/slurmstepd.scope/job_7/step_0/user/task_0": Owner("slurm", "7", "0"),
    "system.slice/vllm.service": Owner("systemd", "vllm.service"),
}
READ = """
import sys
from pathlib import Path
from aipower.owners.reader import PlaceReader
owner = PlaceReader(environment=False).read(int(sys.argv[1])).owner
print(Path(f"/proc/{sys.argv[1]}/cgroup").read_text().strip())
print(owner.system, owner.job, owner.step, sep="|")
"""


@pytest.fixture
def groups() -> Iterator[Path]:
    """A folder of control groups that is ours."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    unified = [Path(place) for place, kind in mounts if kind == "cgroup2"]
    if os.geteuid() != 0 or not unified or shutil.which("unshare") is None:
        pytest.skip("needs root, control groups of version 2 and unshare (util-linux)")
    folder = unified[0] / f"aipower-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"control groups cannot be made here: {error}")
    yield folder
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        _remove(path)
    _remove(folder)


def _remove(folder: Path) -> None:
    """A group is busy until the kernel has buried its last process."""
    deadline = time.monotonic() + 60
    while folder.exists() and time.monotonic() < deadline:
        with suppress(OSError):
            folder.rmdir()
        time.sleep(0.01)


def _spawn(group: Path) -> subprocess.Popen[bytes]:
    """A process that waits in `group` for the end of its input."""
    group.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    (group / "cgroup.procs").write_text(str(process.pid))
    return process


@pytest.mark.parametrize("path", WORKERS)
def test_the_owner_is_known_from_inside_of_the_agents_pod(groups: Path, path: str) -> None:
    home = groups / AGENT
    home.mkdir(parents=True)
    enter = f'echo $$ > {home}/cgroup.procs; exec unshare --cgroup {sys.executable} -c "$0" "$1"'
    with _spawn(groups / path) as worker:
        shown = subprocess.run(
            ["sh", "-c", enter, READ, str(worker.pid)], capture_output=True, text=True, check=True, timeout=60
        ).stdout.splitlines()
    assert any(line.startswith("0::/../") for line in shown), "the reader was in no namespace of its own"
    owner = WORKERS[path]
    assert shown[-1] == f"{owner.system}|{owner.job}|{owner.step}"
