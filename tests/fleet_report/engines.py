"""Engines with given samples: a Prometheus behind TLS, a path and a password, and VictoriaMetrics."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import httpx
import pytest

from fleet.server import ENDLESS, free_port, import_blocks, stop
from fleet.victoria import victoria_metrics
from web.certificates import make_authority, make_pair

USER, PASSWORD = "grafana", "pass:word@%1"
PREFIX = "/prometheus"
DEADLINE_S = 60.0


def built_once(folder: Path, document: Callable[[], str]) -> Path:
    """`folder` with the samples and their blocks, made by the first who asks; the others wait."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock, contextlib.ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stack.callback(fcntl.flock, lock, fcntl.LOCK_UN)
        if not (folder / "done").exists():
            (folder / "samples.om").write_text(document(), encoding="utf-8")
            import_blocks(folder / "samples.om", folder / "data")
            (folder / "done").touch()
    return folder


@dataclass(frozen=True, slots=True)
class Guarded:
    """A Prometheus that lets in who knows the password."""

    url: str
    """With https, the path and no user."""
    authority: Path


@contextlib.contextmanager
def guarded(folder: Path, data: Path) -> Iterator[Guarded]:
    """A Prometheus of the blocks in `data`, with TLS and a password, below a path."""
    folder.mkdir()
    shutil.copytree(data, folder / "data", copy_function=os.link)
    authority = make_authority(folder)
    pair = make_pair(folder, authority, "server", "IP:127.0.0.1")
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (folder / "web.yml").write_text(
        f"tls_server_config: {{cert_file: {pair.cert}, key_file: {pair.key}}}\n"
        f"basic_auth_users: {{{USER}: '{hashed}'}}\n"
    )
    port = free_port()
    (folder / "prometheus.yml").write_text("global: {}\n")
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--web.config.file={folder / 'web.yml'}",
        f"--web.route-prefix={PREFIX}",
        *ENDLESS,
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    url = f"https://127.0.0.1:{port}{PREFIX}"
    try:
        _await(process, f"{url}/-/ready", authority.cert, folder / "log")
        yield Guarded(url, authority.cert)
    finally:
        stop(process)


def _await(process: subprocess.Popen[bytes], url: str, authority: Path, log: Path) -> None:
    import ssl  # noqa: PLC0415 - here only

    context = ssl.create_default_context(cafile=str(authority))
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, auth=(USER, PASSWORD), verify=context, timeout=5).status_code == httpx.codes.OK:
                return
        time.sleep(0.05)
    pytest.fail(log.read_text(errors="replace"))


def latest_victoria(folder: Path, samples: Path) -> contextlib.AbstractContextManager[str]:
    """The URL of a VictoriaMetrics with the samples of a file, which does not hide the latest as it usually does."""
    return victoria_metrics(folder, [samples.read_text(encoding="utf-8")], ["-search.latencyOffset=0s"])
