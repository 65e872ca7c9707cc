"""From aipower-run's records to the verdict, with the installed programs and the simulated machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
BUSY = "import time; end = time.process_time() + 0.4\nwhile time.process_time() < end: pass"


def run(tmp_path: Path, *argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "AIPOWER_RUNS_DIR": str(tmp_path / "runs"),
        "AIPOWER_SOCKET": "none",
        **variables,
    }
    program, *words = argv
    return subprocess.run(
        [str(BIN / program), *words],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_runs_that_were_measured_are_compared(tmp_path: Path) -> None:
    for name in ("base", "fast"):
        for number in range(2):
            done = run(
                tmp_path, "aipower-run", "--sensors", "fake:2", "--name", name, "--json", f"{name}{number}.json", "-q",
                sys.executable, "-c", BUSY,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
    by_name = run(tmp_path, "aipower", "compare", "--json", "base", "fast")
    by_file = run(tmp_path, "aipower", "compare", "--json", "./base0.json,./base1.json", "./fast0.json,./fast1.json")
    assert by_name.returncode == by_file.returncode == 0, by_name.stderr + by_file.stderr
    assert json.loads(by_name.stdout)["pairs"] == json.loads(by_file.stdout)["pairs"]
    found = json.loads(by_name.stdout)
    assert (found["simulated"], found["baseline"]["runs"], found["baseline"]["label"]) == (True, 2, "base")
    assert found["pairs"][0]["verdict"] in {"less", "more", "no difference shown", "not comparable"}
    shown = run(tmp_path, "aipower", "compare", "base", "fast", PYTHONIOENCODING="ascii")
    assert shown.returncode == 0
    assert "SIMULATED SENSORS" in shown.stdout
    alike = run(tmp_path, "aipower", "compare", "last", "last")
    assert (alike.returncode, alike.stdout, alike.stderr.count("\n")) == (2, "", 1)
