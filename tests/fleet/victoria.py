"""A real VictoriaMetrics with given data."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from fleet.server import free_port, ready, stop


@contextlib.contextmanager
def victoria_metrics(folder: Path, documents: Iterable[str], flags: Sequence[str] = ()) -> Iterator[str]:
    """The URL of a VictoriaMetrics with the samples of `documents` (OpenMetrics with times), ended with the block."""
    folder.mkdir()
    port = free_port()
    command = [
        _program(),
        f"-storageDataPath={folder / 'data'}",
        "-retentionPeriod=100y",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-memory.allowedBytes=256MB",
        *flags,
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        assert ready(process, f"{url}/health"), (folder / "log").read_text(encoding="utf-8", errors="replace")
        for document in documents:
            body = "\n".join(_in_millis(line) for line in document.splitlines() if line and not line.startswith("#"))
            httpx.post(f"{url}/api/v1/import/prometheus", content=body, timeout=60).raise_for_status()
        httpx.get(f"{url}/internal/force_flush", timeout=60).raise_for_status()
        yield url
    finally:
        stop(process)


def _program() -> str:
    path = shutil.which("victoria-metrics")
    if path is None and os.environ.get("CI"):
        pytest.fail("victoria-metrics is not installed, and CI must have it: apt-get install victoria-metrics")
    if path is None:
        pytest.skip("victoria-metrics is not installed: apt-get install victoria-metrics")
    return path


def _in_millis(line: str) -> str:
    """Times of the older text format are in milliseconds."""
    sample, _, at_s = line.rpartition(" ")
    return f"{sample} {round(float(at_s) * 1000)}"
