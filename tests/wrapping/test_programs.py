"""The stopwatch, what it watches, and the counters, as real processes."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.wrapping.arms import TrialError
from benchmarks.wrapping.build import Programs
from benchmarks.wrapping.trial import Trial, read_trial

BASE_UJ, IDLE_W = 100_000_000_000, 50
SMALL_BYTES = 8_000_000


def watch(programs: Programs, folder: Path, *command: str) -> list[int]:
    out = folder / "watch"
    subprocess.run([programs.stopwatch, out, *command], check=True, timeout=60)
    return [int(word) for word in out.read_text().split()]


def trial(programs: Programs, mark: Path, *words: str) -> Trial:
    watch(programs, mark.parent, str(programs.load), str(mark), *words)
    return read_trial(mark, mark.parent / "watch", 0.0)


def last_pid() -> int:
    return int(Path("/proc/loadavg").read_text().split()[4])


def test_a_program_that_does_nothing(programs: Programs, mark: Path) -> None:
    before_s = time.monotonic()
    seen = trial(programs, mark, "true")
    assert min(seen.before_s, seen.own_s, seen.after_s) > 0
    assert seen.wall_s <= time.monotonic() - before_s
    assert 0 <= seen.own_cpu_s <= seen.cpu_s
    assert 0 < seen.peak_bytes < SMALL_BYTES  # not ours, who are larger


@pytest.mark.parametrize("kind", ["fork", "exec"])
def test_storm_has_as_many_children_as_were_asked_for(programs: Programs, mark: Path, kind: str) -> None:
    first = last_pid()
    seen = trial(programs, mark, kind, "60", "7")
    most = int(Path("/proc/sys/kernel/pid_max").read_text())
    assert (last_pid() - first) % most >= 60
    assert 0 < seen.own_cpu_s <= seen.cpu_s


def test_bad_storms_are_refused(programs: Programs, mark: Path) -> None:
    with pytest.raises(TrialError, match="exit code 2"):
        trial(programs, mark, "fork", "60")


def test_orphans_count_and_are_waited_for(programs: Programs, mark: Path) -> None:
    script = '"$0" "$1" fork 200 4 & exit 0'
    *_, cpu_ns, _, left, code = watch(programs, mark.parent, "sh", "-c", script, str(programs.load), str(mark))
    assert (left, code) == (0, 0)
    assert cpu_ns >= int(mark.read_text().split()[2]) > 0


@pytest.mark.parametrize(("script", "expected"), [("exit 7", 7), ("kill -KILL $$", 137)])
def test_codes_are_those_of_a_shell(programs: Programs, tmp_path: Path, script: str, expected: int) -> None:
    assert watch(programs, tmp_path, "sh", "-c", script)[-1] == expected


def test_a_command_that_is_not_there(programs: Programs, tmp_path: Path) -> None:
    assert watch(programs, tmp_path, "/nowhere/at-all")[-1] == 127


def test_counters_run_at_their_power(programs: Programs, tmp_path: Path) -> None:
    files = [tmp_path / name for name in "ab"]
    for file in files:
        file.write_text(f"{BASE_UJ}\n")
    began_s = time.monotonic()
    with subprocess.Popen([programs.counter, str(IDLE_W), "0", *files]) as process:
        try:
            while min(int(file.read_text()) for file in files) < BASE_UJ + 100_000:
                assert process.poll() is None
                assert time.monotonic() < began_s + 60
            values_uj = [int(file.read_text()) for file in files]
            most_uj = BASE_UJ + 1e6 * IDLE_W * (time.monotonic() - began_s)
        finally:
            process.kill()
    assert max(values_uj) <= most_uj
