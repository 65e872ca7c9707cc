"""The callback for Keras 3, with the real library on torch and JAX."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.optional import need, run, run_within, stages, work
from phases.receiver import Receiver

BACKENDS = ["torch", "jax"]
BATCHES, EPOCHS = 4, 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_stages_and_steps_under_aipower_run(
    receiver: Receiver, tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("keras", backend)
    monkeypatch.setenv("KERAS_BACKEND", backend)
    found, told = run_within(receiver, tmp_path, "train_keras")
    assert stages(told) == ["train", "test", "train", "test", "train", "test", "predict"]
    assert work(told, "steps") == {"train": float(BATCHES * EPOCHS)}
    assert found["energy_j"] is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_measures_without_aipower_run(tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need("keras", backend)
    monkeypatch.setenv("KERAS_BACKEND", backend)
    found = run(tmp_path, "train_keras")
    assert sorted(found["phases"]) == [[], ["test"], ["train"]]
    assert found["work"] == {"steps": float(BATCHES * EPOCHS)}
    assert found["energy_j"] > 0
    assert ["predict"] in found["last"]
