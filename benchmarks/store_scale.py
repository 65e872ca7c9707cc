"""How long `aipower runs` needs with many runs: writes so many records of about 20 kB, and reads their summaries.

python benchmarks/store_scale.py --runs 10000
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from aipower.runrecord import to_json
from aipower.store.folder import RunStore
from aipower.store.writing import put_bytes
from store.records import PROCESS, STARTED_UNIX_S, run_id, with_everything

REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=55, help="of each run: about 350 bytes each")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        written_s, size = fill(Path(folder), arguments.runs, arguments.processes)
        print(
            f"{arguments.runs} records of {size / 1000:.1f} kB: {1e6 * written_s / arguments.runs:.0f} us to write one"
        )
        for _ in range(REPEATS):
            began_s = time.perf_counter()
            count = len(RunStore(Path(folder)).summaries())
            print(f"{count} summaries in {time.perf_counter() - began_s:.2f} s")
        began_s = time.perf_counter()
        RunStore(Path(folder)).find("last")
        print(f"last in {1e3 * (time.perf_counter() - began_s):.1f} ms")


def fill(folder: Path, runs: int, processes: int) -> tuple[float, int]:
    """Seconds that the writing took, and the bytes of a record."""
    base = replace(with_everything(), processes=[PROCESS] * processes)
    spent_s, size = 0.0, 0
    for number in range(runs):
        started_unix_s = STARTED_UNIX_S + 60 * number
        record = replace(base, run_id=run_id(started_unix_s, number), started_unix_s=started_unix_s)
        content = to_json(record)
        began_s = time.perf_counter()
        put_bytes(str(folder), record.run_id, content)
        spent_s += time.perf_counter() - began_s
        size = len(content)
    return spent_s, size


if __name__ == "__main__":
    main()
