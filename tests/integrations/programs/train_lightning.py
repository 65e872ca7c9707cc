"""A tiny training with Lightning: train_lightning.py PACKAGE [fail]."""

# mypy: ignore-errors
# The libraries are not there where types are checked.

from __future__ import annotations

import importlib
import json
import logging
import sys
import time
from typing import Any

import torch

package: Any = importlib.import_module(sys.argv[1])
from aipower.integrations.lightning import AipowerCallback  # noqa: E402 - after the package that it has to find

logging.disable(logging.WARNING)


class Model(package.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def training_step(self, batch: Any, index: int) -> Any:
        time.sleep(0.02)
        if "fail" in sys.argv and index == 2:
            raise ArithmeticError
        return self.layer(batch[0]).square().mean()

    def validation_step(self, batch: Any, _: int) -> Any:
        return self.layer(batch[0]).mean()

    test_step = validation_step

    def predict_step(self, batch: Any, _: int) -> Any:
        return self.layer(batch[0])

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Logger(package.loggers.Logger):
    name, version = "kept", 0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, float] = {}

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.kept.update(metrics)
        self.kept["step"] = step or 0

    def log_hyperparams(self, *_: object, **__: object) -> None:
        pass


def loader(samples: int) -> Any:
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(samples, 4)), batch_size=4)


callback, logger = AipowerCallback("tiny", sensors="fake"), Logger()
trainer = package.Trainer(
    max_epochs=2,
    accumulate_grad_batches=2,
    accelerator="cpu",
    callbacks=[callback],
    logger=logger,
    enable_progress_bar=False,
    enable_model_summary=False,
    enable_checkpointing=False,
)
try:
    trainer.fit(Model(), loader(14), loader(6))
    trainer.test(Model(), loader(3), verbose=False)
    trainer.predict(Model(), loader(5))
except ArithmeticError:
    pass
measured = callback.measurement
print()
print(json.dumps({
    "logged": logger.kept,
    "steps": trainer.global_step,
    "exit_code": measured.record.exit_code if measured else None,
    "phases": [phase.path for phase in measured.record.phases] if measured else None,
}))  # fmt: skip
