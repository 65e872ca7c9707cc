"""The callback for PyTorch Lightning, with the real library in both of its packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.optional import need, run, run_within, stages, work
from phases.receiver import Receiver

EPOCHS, TRAINED, VALIDATED, SANITY = 2, 14, 6, 6
PACKAGES = ["lightning.pytorch", "pytorch_lightning"]


@pytest.mark.parametrize("package", PACKAGES)
def test_stages_steps_and_samples_under_aipower_run(receiver: Receiver, tmp_path: Path, package: str) -> None:
    need("torch", package.partition(".")[0])
    found, told = run_within(receiver, tmp_path, "train_lightning", package)
    # The training of each epoch is interrupted by its validation; the first one is Lightning's sanity check.
    epoch = ["train", "validate", "train"]
    assert stages(told) == ["validate", *epoch, *epoch, "test", "predict"]
    # 14 samples in batches of 4, two batches a step.
    assert work(told, "steps") == {"train": found["steps"]} == {"train": 2.0 * EPOCHS}
    expected = {"train": EPOCHS * TRAINED, "validate": SANITY + EPOCHS * VALIDATED, "test": 3.0, "predict": 5.0}
    assert work(told, "samples") == expected
    # aipower-run measures, so the callback does not.
    assert found["phases"] is None
    assert not any("energy_j" in name for name in found["logged"])


def test_joules_go_to_the_loggers_without_aipower_run(tmp_path: Path) -> None:
    need("torch", "lightning")
    found = run(tmp_path, "train_lightning", "lightning.pytorch")
    logged = {name.removeprefix("aipower/fit/"): value for name, value in found["logged"].items()}
    assert logged["energy_j_low"] <= logged["energy_j"] <= logged["energy_j_high"]
    assert sum(logged[f"{kind}_j"] for kind in ("gpu", "cpu", "dram")) == pytest.approx(logged["energy_j"])
    assert logged["phase/train/wall_s"] > 0.02 * EPOCHS * TRAINED / 4
    assert logged["work/samples"] == EPOCHS * TRAINED + SANITY + EPOCHS * VALIDATED
    assert logged["j_per/samples"] == pytest.approx(logged["energy_j"] / logged["work/samples"])
    assert logged["aipower/test/phase/test/wall_s"] > 0
    assert found["phases"] == [["predict"], []]


def test_a_training_that_fails_ends_its_stages(receiver: Receiver, tmp_path: Path) -> None:
    need("torch", "lightning")
    found, told = run_within(receiver, tmp_path, "train_lightning", "lightning.pytorch", "fail")
    assert stages(told) == ["validate", "train"]
    assert found["steps"] == 1
