"""Logging to TensorBoard: read back by TensorBoard itself."""

from __future__ import annotations

from pathlib import Path

import pytest

import aipower
from aipower.integrations.tensorboard import log_record
from integrations.optional import need, run


@pytest.mark.parametrize("module", ["torch.utils.tensorboard", "tensorboardX"])
def test_scalars_and_the_report(tmp_path: Path, module: str) -> None:
    need("tensorboard", module.partition(".")[0])
    found = run(tmp_path, "log_tensorboard", module)
    step, energy_j = found["energy_j"]
    assert step == 7
    assert energy_j == pytest.approx(found["expected_j"], rel=1e-6)
    assert {"aipower/gpu_j", "aipower/wall_s", "aipower/energy_j_low"} <= set(found["tags"])
    assert "[tiny]" in found["report"]


class Writer:
    """As little as a writer has to be."""

    def __init__(self) -> None:
        self.scalars: dict[str, tuple[float, int]] = {}
        self.texts: dict[str, str] = {}

    def add_scalar(self, tag: str, scalar_value: float, global_step: int, /) -> None:
        self.scalars[tag] = scalar_value, global_step

    def add_text(self, tag: str, text_string: str, global_step: int, /) -> None:
        assert global_step == 3
        self.texts[tag] = text_string


def test_what_was_not_measured_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIPOWER_POWERCAP_ROOT", str(tmp_path / "none"))
    with aipower.measure() as m:
        pass
    writer = Writer()
    log_record(writer, m, step=3, prefix="power")
    assert "power/cpu_j" not in writer.scalars
    assert writer.scalars["power/wall_s"] == (m.wall_s, 3)
    assert "nothing was measured" in writer.texts["power/report"]
