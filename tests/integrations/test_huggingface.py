"""The callback for the Trainer of Transformers, with the real library and a random model of 2,000 parameters."""

from __future__ import annotations

from pathlib import Path

from integrations.optional import need, run, run_within, stages, work
from phases.receiver import Receiver

LIBRARIES = ("torch", "transformers", "accelerate")


def test_stages_steps_and_tokens_under_aipower_run(receiver: Receiver, tmp_path: Path) -> None:
    need(*LIBRARIES)
    found, told = run_within(receiver, tmp_path, "train_transformers")
    assert stages(told) == ["train", "evaluate", "train", "evaluate", "train", "evaluate"]
    assert work(told, "steps") == {"train": found["steps"]} == {"train": 4.0}
    assert work(told, "tokens") == {"train": found["tokens"]} == {"train": 2 * 16 * 8.0}
    assert not found["measured"]


def test_joules_are_in_the_history_without_aipower_run(tmp_path: Path) -> None:
    need(*LIBRARIES)
    found = run(tmp_path, "train_transformers")
    (row,) = found["history"]
    assert row["aipower/energy_j"] > 0
    assert row["aipower/phase/train/wall_s"] > 0
    assert row["aipower/j_per/tokens"] > 0
    assert row["step"] == found["steps"]
