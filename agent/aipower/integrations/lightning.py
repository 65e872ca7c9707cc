"""PyTorch Lightning: `Trainer(callbacks=[AipowerCallback()])`, with `lightning` or `pytorch_lightning`."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import aipower
from aipower.integrations.scalars import scalars_of
from aipower.integrations.watch import Watch
from aipower.phases.sync import Sync

if TYPE_CHECKING:
    from aipower.measuring import Measure


def _framework() -> Any:  # noqa: ANN401 - one of two packages, or neither
    """The one that the program has imported, else the one that is installed.

    Raises:
        ImportError: Neither is.
    """
    names = ("lightning.pytorch", "pytorch_lightning")
    for name in names:
        if name in sys.modules:
            return sys.modules[name]
    try:
        return importlib.import_module(names[0])
    except ModuleNotFoundError:
        return importlib.import_module(names[1])


BATCH = 3
"""Its place among the arguments of a hook."""

_Callback: Any = _framework().Callback


class AipowerCallback(_Callback):  # type: ignore[misc]
    """Names the stages (`train`, `validate`, `test`, `predict`), counts steps and samples, and logs the energy.

    The phases are for an `aipower-run` around the program. Without one the callback measures by itself, from the
    begin to the end of `fit`, `validate`, `test` or `predict`, and gives the joules to the trainer's loggers, as
    `aipower/fit/energy_j`. It then measures its own process and those it has started: with several processes each has
    its own part, and that of rank zero is logged.
    """

    def __init__(
        self,
        name: str = "",
        *,
        sync: Sync = "torch",
        measure: bool | None = None,
        sensors: str = "auto",
    ) -> None:
        """A callback; see `aipower.measure` for the arguments.

        `measure` False never measures, True always, None only if there is no `aipower-run` around.
        """
        super().__init__()
        self._watch = Watch(name, sync=sync, measure=measure, sensors=sensors)
        self._steps = 0
        self._stage = ""

    @property
    def measurement(self) -> Measure | None:
        """The last measurement; None if there was none."""
        return self._watch.measurement

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ANN401, ARG002 - Lightning's signature
        """Measure from now on."""
        self._stage = str(getattr(stage, "value", stage))  # an enumeration in fact
        self._steps = trainer.global_step
        self._watch.begin()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ANN401, ARG002 - as above
        """The end, in good order; the loggers get the figures."""
        self._end(trainer)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:  # noqa: ANN401, ARG002
        """The end otherwise."""
        self._end(trainer)

    def on_train_epoch_start(self, *_: object) -> None:
        """An epoch begins."""
        self._watch.enter("train")

    def on_train_epoch_end(self, *_: object) -> None:
        """It has ended."""
        self._watch.leave("train")

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: object, batch: object, *_: object) -> None:  # noqa: ANN401, ARG002
        """A batch is done, and perhaps a step of the optimizer. All ranks do the same steps: one of them counts."""
        if trainer.is_global_zero and trainer.global_step > self._steps:
            aipower.step(trainer.global_step - self._steps)
        self._steps = trainer.global_step
        _count_samples(batch)

    def on_validation_start(self, *_: object) -> None:
        """In the middle of training, or by itself."""
        self._watch.enter("validate")

    def on_validation_batch_end(self, *args: object) -> None:
        """A batch is done: after the trainer, the module and the outputs comes the batch."""
        _count_samples(args[BATCH])

    def on_validation_end(self, *_: object) -> None:
        """Training goes on."""
        self._watch.leave("validate")

    def on_test_start(self, *_: object) -> None:
        """`Trainer.test`."""
        self._watch.enter("test")

    def on_test_batch_end(self, *args: object) -> None:
        """A batch is done: after the trainer, the module and the outputs comes the batch."""
        _count_samples(args[BATCH])

    def on_test_end(self, *_: object) -> None:
        """Its end."""
        self._watch.leave("test")

    def on_predict_start(self, *_: object) -> None:
        """`Trainer.predict`."""
        self._watch.enter("predict")

    def on_predict_batch_end(self, *args: object) -> None:
        """A batch is done: after the trainer, the module and the outputs comes the batch."""
        _count_samples(args[BATCH])

    def on_predict_end(self, *_: object) -> None:
        """Its end."""
        self._watch.leave("predict")

    def _end(self, trainer: Any) -> None:  # noqa: ANN401 - Lightning's
        measurement = self._watch.end()
        if measurement is None or not trainer.is_global_zero:
            return
        figures = {f"aipower/{self._stage}/{name}": value for name, value in scalars_of(measurement.record).items()}
        for logger in trainer.loggers:
            logger.log_metrics(figures, step=trainer.global_step)


def _count_samples(batch: object) -> None:
    samples = size_of(batch)
    if samples is not None:
        aipower.log(samples=samples)


def size_of(batch: object) -> int | None:
    """The length of the first array in a batch, however deep it is; None if there is none."""
    shape = getattr(batch, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) else 1
    parts = batch.values() if isinstance(batch, dict) else batch if isinstance(batch, list | tuple) else ()
    return next((size for part in parts if (size := size_of(part)) is not None), None)
