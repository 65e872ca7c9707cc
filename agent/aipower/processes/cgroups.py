"""Which control group a process is in, and how much CPU time a group has used, whoever of it still lives."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

CGROUPS = Path("/sys/fs/cgroup")
"""Where systemd and container runtimes mount them."""
_UNIFIED = "cgroup.controllers"
"""Only a hierarchy of version 2 has this file (Documentation/admin-guide/cgroup-v2.rst of the kernel)."""
_ACCOUNTING = "cpuacct"
"""The controller of version 1 that counts CPU time."""
_BYTES = 4096


class Hierarchy(Struct, frozen=True):
    """The mounted hierarchy that counts CPU time."""

    root: str
    v2: bool

    def path_of(self, text: str) -> str | None:
        """The group that /proc/PID/cgroup names as `text`; None for the root and for a group outside our view.

        A line is `ID:controllers:path`; version 2 has ID 0 and no controllers. Outside our cgroup namespace a
        path begins with `/..`.
        """
        for line in text.splitlines():
            number, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            ours = (number == "0" and not controllers) if self.v2 else _ACCOUNTING in controllers.split(",")
            if ours:
                inside = path.startswith("/") and path != "/" and ".." not in path.split("/")
                return path.removesuffix(" (deleted)") if inside else None
        return None

    def used_s(self, path: str) -> float | None:
        """CPU seconds of the group and all below it since it was made; None if it has left or does not say."""
        return self._used_v2_s(path) if self.v2 else self._used_v1_s(path)

    def leaf(self, path: str) -> bool:
        """True for a group without groups in it; False where that cannot be told."""
        try:
            with os.scandir(f"{self.root}{path}") as entries:
                return not any(entry.is_dir(follow_symlinks=False) for entry in entries)
        except OSError:
            return False

    def pids(self, path: str) -> list[int]:
        """The processes of the group; empty if it has left."""
        text = _read(f"{self.root}{path}/cgroup.procs", 1 << 20)
        return [int(word) for word in text.split() if word.isdigit()]

    def _used_v2_s(self, path: str) -> float | None:
        """`usage_usec` of cpu.stat, in microseconds; it is there without the cpu controller too."""
        words = _read(f"{self.root}{path}/cpu.stat").split()
        for name, value in zip(words[::2], words[1::2], strict=False):
            if name == b"usage_usec" and value.isdigit():
                return int(value) / 1e6
        return None

    def _used_v1_s(self, path: str) -> float | None:
        """cpuacct.usage, in nanoseconds."""
        text = _read(f"{self.root}{path}/cpuacct.usage").strip()
        return int(text) / 1e9 if text.isdigit() else None


def find_hierarchy(root: Path = CGROUPS) -> Hierarchy | None:
    """The hierarchy that counts CPU time below `root`: version 2, else 1, else 2 beside 1; None without any."""
    if _there(root / _UNIFIED):
        return Hierarchy(os.fspath(root), v2=True)
    for name in (_ACCOUNTING, "cpu,cpuacct", "cpuacct,cpu"):
        if _there(root / name / "cpuacct.usage"):
            return Hierarchy(os.fspath(root / name), v2=False)
    if _there(root / "unified" / _UNIFIED):
        return Hierarchy(os.fspath(root / "unified"), v2=True)
    return None


def _there(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - Path.exists may raise


def _read(path: str, size: int = _BYTES) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, size)
    except OSError:
        return b""
    finally:
        os.close(fd)
