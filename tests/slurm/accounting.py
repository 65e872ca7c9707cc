"""Slurm's accounting on this machine: MariaDB and slurmdbd in a folder of their own, on loopback, ended by pid."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from slurm.cluster import COMMAND_S, NEEDED, daemon, free_ports

NEEDED_TOO = (*NEEDED, "slurmdbd", "sacct", "sacctmgr", "mariadbd", "mariadb", "mariadb-install-db")
START_S = 30.0
DATABASE = """
CREATE DATABASE slurm;
CREATE USER 'slurm'@'127.0.0.1' IDENTIFIED BY 'of-this-test';
GRANT ALL ON slurm.* TO 'slurm'@'127.0.0.1';
"""
CONFIGURATION = """\
AuthType=auth/none
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={ports[0]}
SlurmUser=root
LogFile={folder}/dbd.log
PidFile={folder}/dbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports[1]}
StorageUser=slurm
StoragePass=of-this-test
StorageLoc=slurm
"""


@contextlib.contextmanager
def accounting(folder: Path) -> Iterator[str]:
    """A database daemon; what slurm.conf says of it.

    Raises:
        TimeoutError: It does not come up in time.
    """
    ports = free_ports(2)
    (folder / "slurm.conf").write_text("# replaced once the daemons run\n")
    configuration = folder / "slurmdbd.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, ports=ports))
    configuration.chmod(0o600)
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    with _mariadb(folder, ports[1]), daemon(["slurmdbd", "-D"], environment, folder):
        _until(lambda: "started" in _text(folder / "dbd.log"), folder / "dbd.log")
        yield (
            "AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageHost=127.0.0.1\n"
            f"AccountingStoragePort={ports[0]}\nAccountingStoreFlags=job_comment\n"
        )


@contextlib.contextmanager
def _mariadb(folder: Path, port: int) -> Iterator[None]:
    data, socket, log = folder / "mysql", folder / "mysql.sock", folder / "mysql.err"
    words = ["--no-defaults", "--user=root", f"--datadir={data}"]
    made = subprocess.run(
        ["mariadb-install-db", *words, "--skip-test-db", "--auth-root-authentication-method=normal"],
        capture_output=True, text=True, timeout=COMMAND_S, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    server = shutil.which("mariadbd") or "mariadbd"
    command = [
        server, *words, f"--socket={socket}", f"--pid-file={folder}/mysql.pid", f"--port={port}",
        "--bind-address=127.0.0.1", f"--log-error={log}", "--innodb-lock-wait-timeout=900",
        "--innodb-flush-log-at-trx-commit=0",
    ]  # fmt: skip
    with daemon(command, os.environ, folder):
        _until(lambda: _asked(socket, "SELECT 1"), log)
        assert _asked(socket, DATABASE)
        yield


def _asked(socket: Path, question: str) -> bool:
    command = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "-e", question]
    return subprocess.run(command, capture_output=True, timeout=COMMAND_S, check=False).returncode == 0


def _until(there: Callable[[], bool], log: Path) -> None:
    deadline_s = time.monotonic() + START_S
    while not there():
        if time.monotonic() > deadline_s:
            raise TimeoutError(_text(log)[-2000:])
        time.sleep(0.1)


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
