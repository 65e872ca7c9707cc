"""Writers that run side by side, and writers that are killed at any instant."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from aipower.runrecord import to_json
from aipower.store import RunStore
from store.records import record, run_id

ROUNDS, WRITERS = 12, 3
WRITER = """
import itertools, os, sys
from aipower.store.writing import begin, finished, put_bytes
folder, template = sys.argv[1], open(sys.argv[2]).read()
print("ready", flush=True)
for number in itertools.count():
    run = f"r-{os.getpid()}-{number % 50}"
    begin(folder, run, b"{}")
    put_bytes(folder, run, template.replace("RUN", run).encode())
    finished(folder, run)
"""


def start(folder: Path, template: Path) -> subprocess.Popen[str]:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(template)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


def kill(writer: subprocess.Popen[str]) -> None:
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()


def test_killed_writers_leave_whole_records_only(tmp_path: Path) -> None:
    chance, folder, template = random.Random(1), tmp_path / "runs", tmp_path / "template"
    template.write_bytes(to_json(record(1)).replace(record(1).run_id.encode(), b"RUN") + b" " * 50_000)
    store, seen = RunStore(folder), 0
    for _ in range(ROUNDS):
        writers = [start(folder, template) for _ in range(WRITERS)]
        time.sleep(chance.uniform(0, 0.02))
        while_they_write = store.listing()
        for writer in writers:
            kill(writer)
        listing = store.listing()
        assert while_they_write.skipped == listing.skipped == []
        assert len(listing.summaries) >= seen
        seen = len(listing.summaries)
    assert seen > ROUNDS
    for summary in store.summaries():
        assert store.load(summary.run_id).run_id == summary.run_id
    left = [path for path in folder.iterdir() if path.name.startswith(".")]
    store.clean(time.time() + 86_400)
    assert not any(path.exists() for path in left)
    assert len(store.summaries()) == seen


def test_writers_side_by_side_lose_nothing(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from store.records import record
from aipower.store import RunStore
for number in range(40):
    RunStore(Path(sys.argv[1])).put(record(number + 1000 * int(sys.argv[3])))
"""
    folder, tests = str(tmp_path / "a" / "runs"), str(Path(__file__).parents[1])
    writers = [subprocess.Popen([sys.executable, "-c", code, folder, tests, str(n)]) for n in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    expected = {run_id(record(1).started_unix_s, n + 1000 * writer) for n in range(40) for writer in range(4)}
    assert set(RunStore(Path(folder)).ids()) == expected
    assert {path.suffix for path in Path(folder).iterdir()} == {".json"}
