"""`aipower-run` again and again while the agent comes and goes: the command's own fate is never touched."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from run.aipower_run import argv

WORK = """
import sys, time
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    sum(range(2000))
    time.sleep(0.002)
sys.exit(int(sys.argv[2]))
"""
LIMIT_S = 120.0


@dataclass
class Runs:
    """Calls it one after the other from a thread, until it is left."""

    folder: Path
    environ: Mapping[str, str]
    seed: int
    longest_s: float = 2.0
    pause_s: float = 0.1
    told: Counter[str] = field(default_factory=Counter)
    """How many runs were measured by whom."""
    wrong: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(LIMIT_S)

    def _run(self) -> None:
        dice = random.Random(self.seed)
        while not self._over.wait(self.pause_s):
            self.call(dice.uniform(0.1, self.longest_s), dice.choice([0, 0, 0, 7]))

    def call(self, seconds: float, code: int) -> None:
        """One run that takes `seconds` and ends with `code`."""
        path = self.folder / "run.json"
        path.unlink(missing_ok=True)
        words = argv("-q", "--name", "campaign", "--json", path, sys.executable, "-c", WORK, str(seconds), str(code))
        try:
            done = subprocess.run(words, env=self.environ, capture_output=True, timeout=LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            self.wrong.append(f"a run of {seconds:.1f} s has not ended after {LIMIT_S:.0f} s")
            return
        if done.returncode != code or b"Traceback" in done.stderr:
            self.wrong.append(f"exit code {done.returncode} instead of {code}: {done.stderr.decode()[-2000:]}")
        self.judge(path)

    def judge(self, path: Path) -> None:
        """Note what the record at `path` says."""
        if not path.exists():
            self.wrong.append("a run without a record")
            return
        record: dict[str, Any] = json.loads(path.read_bytes())
        lost = any(fault["reason"] == "agent_lost" for fault in record["faults"])
        self.told["begun with an agent that died" if lost else f"by {record['measured_by']}"] += 1
        if lost and record["complete"]:
            self.wrong.append("an agent was lost and the record says that it is complete")
        for device in record["devices"]:
            parts_j = sum(device[part] or 0.0 for part in ("run_energy_j", "idle_j", "other_j", "unattributed_j"))
            if device["energy_j"] is not None and abs(parts_j - device["energy_j"]) > 1e-4:
                self.wrong.append(f"{device['device']}: parts {parts_j} J, device {device['energy_j']} J")
