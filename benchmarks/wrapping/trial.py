"""One start of one command by one arm, and what that took."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.wrapping.arms import Arm, TrialError
from benchmarks.wrapping.world import World, agent_cpu_s

ERRORS = "stderr"
"""The file in a trial's folder that has what was written there."""
LONGEST_S = 90.0
NS = 1e9


@dataclass(frozen=True, slots=True)
class Trial:
    """What one start took."""

    before_s: float
    """From the start of the wrapper to the first instruction of the command."""
    own_s: float
    """From there to the command's last instruction."""
    after_s: float
    """From there until the wrapper has ended."""
    cpu_s: float
    """Of the wrapper, the command and all that they have started."""
    own_cpu_s: float
    """Of the command alone, with its children."""
    peak_bytes: int
    """The largest resident set of any one process."""
    agent_cpu_s: float
    """What the agent has used meanwhile."""
    counted_s: float | None = None
    """CPU seconds of the command as the wrapper tells them."""

    @property
    def wall_s(self) -> float:
        """From the start of the wrapper until it has ended."""
        return self.before_s + self.own_s + self.after_s

    @property
    def extra_cpu_s(self) -> float:
        """Of the wrapper; of nobody, what it takes to start and end a program."""
        return self.cpu_s - self.own_cpu_s


def run_trial(arm: Arm, world: World, command: Sequence[str]) -> Trial:
    """Start `command` by `arm`. Of its words, `FILE` stands for where it notes its times.

    Raises:
        TrialError: It did not end well, or in time.
    """
    folder = world.folder / "trial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    mark, watch = folder / "mark", folder / "watch"
    words = [str(mark) if word == "FILE" else word for word in command]
    agent_before_s = agent_cpu_s(world.agent_pid)
    _run([str(world.programs.stopwatch), str(watch), *arm.argv(folder, words)], arm, world, folder)
    agent_s = agent_cpu_s(world.agent_pid) - agent_before_s
    trial = read_trial(mark, watch, agent_s)
    return replace(trial, counted_s=arm.account(folder))


def read_trial(mark: Path, watch: Path, agent_s: float) -> Trial:
    """From what the command and the stopwatch have written.

    Raises:
        TrialError: The command did not run, or the wrapper failed.
    """
    start_ns, end_ns, cpu_ns, peak_bytes, left, code = map(int, watch.read_text().split())
    if code or left:
        raise TrialError(f"exit code {code}, {left} processes left")
    if not mark.exists():
        raise TrialError("the command did not run")
    first_ns, last_ns, own_ns = map(int, mark.read_text().split())
    spans_s = ((first_ns - start_ns) / NS, (last_ns - first_ns) / NS, (end_ns - last_ns) / NS)
    return Trial(*spans_s, cpu_ns / NS, own_ns / NS, peak_bytes, agent_s)


def _run(argv: Sequence[str], arm: Arm, world: World, folder: Path) -> None:
    """Wait for the stopwatch; in a session of its own, so that all of it can be ended where it hangs."""
    environ = {**world.environ, **arm.environ}
    with (folder / "stdout").open("wb") as out, (folder / ERRORS).open("wb") as errors:
        process = subprocess.Popen(
            argv, env=environ, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True
        )
        try:
            process.wait(LONGEST_S)
        except subprocess.TimeoutExpired as error:
            raise TrialError(f"did not end in {LONGEST_S:.0f} s") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
