"""A made /sys/devices/system/cpu in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def put_cpus(root: Path, places: Mapping[int, tuple[int, int]], *, siblings: bool = True) -> None:
    """CPUs by number, each with its socket and core; `siblings` writes the kernel's lists too."""
    for number, (socket, core) in places.items():
        folder = root / f"cpu{number}" / "topology"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "physical_package_id").write_text(f"{socket}\n")
        (folder / "core_id").write_text(f"{core}\n")
        if siblings:
            same = [str(other) for other, place in places.items() if place == (socket, core)]
            (folder / "thread_siblings_list").write_text(",".join(same) + "\n")


def two_sockets(root: Path) -> Path:
    """Eight CPUs: 0, 1 | 2, 3 on two cores of socket 0 and 1, and n + 4 the sibling of n."""
    put_cpus(root, {n: (n % 4 // 2, n % 2) for n in range(8)})
    return root
