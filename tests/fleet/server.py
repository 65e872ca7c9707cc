"""A real Prometheus with given data: blocks made by promtool, and a server of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

DEADLINE_S = 60.0
STARTS = 3
NO_SCRAPES = "global: {}\n"
ENDLESS = (
    "--storage.tsdb.retention.time=100y",
    # Compaction would rewrite the blocks while they are asked.
    "--storage.tsdb.min-block-duration=2h",
    "--storage.tsdb.max-block-duration=2h",
)


def tool(name: str) -> str:
    """The path of a program of the Debian package prometheus; CI must have it."""
    path = shutil.which(name)
    if path is None and os.environ.get("CI"):
        pytest.fail(f"{name} is not installed, and CI must have it: apt-get install prometheus")
    if path is None:
        pytest.skip(f"{name} is not installed: apt-get install prometheus")
    return path


def promtool(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it; the caller looks at the result."""
    return subprocess.run(
        [tool("promtool"), *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )


def import_blocks(source: Path, data: Path) -> None:
    """Make blocks in `data` of the OpenMetrics in `source`."""
    done = promtool("tsdb", "create-blocks-from", "openmetrics", "--quiet", str(source), str(data))
    assert done.returncode == 0, done.stdout + done.stderr


def backfill(rules: Sequence[Path], url: str, data: Path, start_s: float, end_s: float, every_s: float) -> None:
    """Make blocks in `data` of what the recording rules say of the data at `url`."""
    done = promtool(
        "tsdb", "create-blocks-from", "rules", "--quiet",
        f"--url={url}", f"--start={start_s:.0f}", f"--end={end_s:.0f}", f"--output-dir={data}",
        f"--eval-interval={every_s:.0f}s", *map(str, rules),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def prometheus(folder: Path, data: Path, config: str = NO_SCRAPES, flags: Sequence[str] = ENDLESS) -> Iterator[str]:
    """The URL of a Prometheus of the blocks in `data`, which ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    for _ in range(STARTS):
        port = free_port()
        command = [
            tool("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={data}",
            f"--web.listen-address=127.0.0.1:{port}",
            *flags,
        ]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            if ready(process, f"http://127.0.0.1:{port}/-/ready"):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            stop(process)
    pytest.fail((folder / "log").read_text(encoding="utf-8", errors="replace"))


def free_port() -> int:
    """A port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def ready(process: subprocess.Popen[bytes], url: str) -> bool:
    """True once `url` answers 200; False where the process ended, as when another took its port."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return True
        time.sleep(0.05)
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End it."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
