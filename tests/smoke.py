"""Tries an installed aipower from outside: `python tests/smoke.py BIN_DIRECTORY`. Used on the built wheel."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

DEADLINE_S = 30.0


def check(condition: object, message: str) -> None:
    """Stop with `message` unless `condition` holds."""
    if not condition:
        raise SystemExit(f"smoke test failed: {message}")


def measured_run(binaries: Path, folder: Path) -> None:
    """A run under the simulated sensors gives a record that adds up."""
    record_file = folder / "run.json"
    done = subprocess.run(
        [binaries / "aipower-run", "--sensors", "fake", "--json", record_file, "sh", "-c", "sleep 1; exit 7"],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    check(done.returncode == 7, f"exit code {done.returncode}, not the command's 7: {done.stderr}")
    check(done.stdout == "", "something on standard output")
    check("SIMULATED" in done.stderr, "the report does not say that it is simulated")
    record = json.loads(record_file.read_text())
    check(record["schema"] == "aipower.run/1", "wrong schema")
    check(record["energy_j"]["total"] > 0, "no energy")


def kept_run(binaries: Path) -> None:
    """What was measured is kept; page, table and grid intensities came with the package, phases are heard."""
    program = "import aipower, time\nwith aipower.phase('train'): time.sleep(0.5)"
    run: list[str | Path] = [binaries / "aipower-run", "-q", "--sensors", "fake", binaries / "python", "-c", program]
    check(subprocess.run(run, check=False).returncode == 0, "a run with a phase failed")
    asked: tuple[tuple[tuple[str, ...], str], ...] = (
        (("report", "last"), "train"),
        (("report", "last", "--html", "-"), "<!doctype html>"),
        (("report", "last", "--csv"), "run_energy"),
        (("runs",), "python"),
        (("equiv", "1287MWh", "--zone", "DEU"), "6,435"),
    )
    for words, told in asked:
        done = subprocess.run([binaries / "aipower", *words], capture_output=True, text=True, check=False)
        check(done.returncode == 0 and told in done.stdout, f"aipower {' '.join(words)}: {done.stderr}")


def doctor(binaries: Path) -> None:
    """The doctor answers."""
    done = subprocess.run([binaries / "aipower", "doctor", "--json"], capture_output=True, text=True, check=False)
    check(json.loads(done.stdout)["checks"], "the doctor has no checks")


def fetch(url: str, accept: str = "*/*") -> str:
    """The page, or "" while nobody answers."""
    request = urllib.request.Request(url, headers={"accept": accept})  # noqa: S310 - http to ourselves
    try:
        with urllib.request.urlopen(request, timeout=5) as page:  # noqa: S310 - as above
            return str(page.read().decode())
    except (urllib.error.URLError, OSError):
        return ""


def live_page(url: str) -> None:
    """The page comes with all that it asks for, and the API has figures for it."""
    html = fetch(url, "text/html")
    parts = re.findall(r'(?:src|href)="([^":]*\.(?:js|css|svg))"', html)
    check(len(parts) > 10, f"the live page names few files: {html[:300]}")
    check(all(fetch(f"{url}/{part.lstrip('/')}") for part in parts), "a file of the live page is missing")
    devices = json.loads(fetch(f"{url}/api/v1/snapshot"))["devices"]
    check(devices and all(device["up"] for device in devices), "the API has no device")


def agent(binaries: Path, folder: Path) -> None:
    """The agent serves metrics, pushes to a file, and stops cleanly."""
    config, pushed = folder / "aipower.toml", folder / "aipower.jsonl"
    config.write_text(f'[sinks.jsonl]\npath = "{pushed}"\ninterval_s = 1\n')
    flags: list[str | Path] = [
        "--sensors",
        "fake",
        "--listen",
        "127.0.0.1:19877",
        "--interval-s",
        "0.2",
        "--config",
        config,
    ]
    process = subprocess.Popen([binaries / "aipower", "agent", *flags], stderr=subprocess.PIPE, text=True)
    try:
        deadline_s = time.monotonic() + DEADLINE_S
        page = ""
        while "aipower_device_energy_joules_total" not in page and time.monotonic() < deadline_s:
            page = fetch("http://127.0.0.1:19877/metrics")
            time.sleep(0.1)
        check('kind="gpu"' in page, f"no GPU among the metrics: {page[:500]}")
        check('system="idle"' in page, "no energy by job among the metrics")
        live_page("http://127.0.0.1:19877")
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE_S)
    check(process.returncode == 0, f"the agent ended with {process.returncode}: {errors}")
    check(json.loads(pushed.read_text().splitlines()[-1]), "nothing was pushed")


def files(binaries: Path, folder: Path) -> None:
    """Rules, dashboards and Slurm's scripts came with the package."""
    share = binaries.parent / "share" / "aipower"
    for name in ("prometheus/aipower.rules.yml", "grafana/dashboards/aipower-node.json", "slurm/epilog"):
        check((share / name).is_file(), f"{share / name} is missing")
    command: list[str | Path] = [binaries / "python", "-m", "aipower_exporters.grafana", folder / "grafana"]
    check(subprocess.run(command, check=False).returncode == 0, "the dashboards cannot be written")
    check((folder / "grafana" / "aipower-node.json").is_file(), "no dashboard was written")


def main() -> None:
    """All checks."""
    binaries = Path(sys.argv[1]).absolute()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as store:
        os.environ["AIPOWER_RUNS_DIR"] = store
        measured_run(binaries, Path(folder))
        check(os.listdir(folder) == ["run.json"], "files in the working directory")  # noqa: PTH208 - names only
        kept_run(binaries)
        doctor(binaries)
        agent(binaries, Path(folder))
        files(binaries, Path(folder))
    print("smoke test passed")


if __name__ == "__main__":
    main()
