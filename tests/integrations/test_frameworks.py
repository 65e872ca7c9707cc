"""Phases in real torchrun, torch and JAX."""

from __future__ import annotations

import sys
from pathlib import Path

from integrations.optional import PROGRAMS, need, run_within
from phases.receiver import Receiver
from run.aipower_run import call


def test_the_ranks_of_torchrun(tmp_path: Path) -> None:
    """They inherit no descriptor: torchrun closes what it was not told to keep."""
    need("torch")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    done = call(tmp_path, "--no-save", "--sensors", "fake", *launcher, PROGRAMS / "ranks.py")
    assert done.code == 0, done.report
    train = next(phase for phase in done.record["phases"] if phase["path"] == ["train"])
    assert train["count"] == 2
    assert train["work"] == {"steps": 10.0, "samples": 64.0}
    assert done.record["faults"] == []


def test_jax_is_waited_for_and_not_initialised(receiver: Receiver, tmp_path: Path) -> None:
    need("jax")
    found, told = run_within(receiver, tmp_path, "wait_jax")
    assert not found["early"]
    assert found["ready"]
    late = [message for message in told if message.kind == "E"][-1]
    begun = [message for message in told if message.kind == "B"][-1]
    # The phase is as long as the work, not as long as the call that started it.
    assert (late.at_ns - begun.at_ns) / 1e9 >= found["call_s"]
