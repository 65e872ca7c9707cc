"""Keras 3, on any of its backends: `model.fit(..., callbacks=[AipowerCallback()])`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal

import aipower
from aipower.integrations.watch import Watch
from aipower.phases.sync import Sync

if TYPE_CHECKING:
    from aipower.measuring import Measure

_keras: Any = importlib.import_module("keras")


class AipowerCallback(_keras.callbacks.Callback):  # type: ignore[misc]
    """Names the stages (`train`, `test`, `predict`), counts steps, and measures where no `aipower-run` does.

    Use one callback in one call of `fit`, `evaluate` or `predict` at a time. Log samples or tokens by `aipower.log`:
    Keras does not tell its callbacks how large a batch was.
    """

    def __init__(
        self,
        name: str = "",
        *,
        sync: Sync | Literal["backend"] = "backend",
        measure: bool | None = None,
        sensors: str = "auto",
    ) -> None:
        """A callback; see `aipower.measure` for the arguments.

        `measure` False never measures, True always, None only if there is no `aipower-run` around. By default the
        backend of Keras is waited for at both ends of a stage, if it is torch or JAX.
        """
        super().__init__()
        self._watch = Watch(name, sync=_backend() if sync == "backend" else sync, measure=measure, sensors=sensors)
        self._batches = 0

    @property
    def measurement(self) -> Measure | None:
        """The last measurement; None if there was none."""
        return self._watch.measurement

    def on_train_begin(self, logs: object = None) -> None:  # noqa: ARG002 - Keras's signature, as below
        """`fit` begins."""
        self._watch.end()  # of one that an error has ended
        self._watch.begin()
        self._watch.enter("train")

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        """The numbers of the batches begin anew."""
        self._batches = 0

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
        """One batch is done, or several at once (`steps_per_execution`): `batch` is the number of the last."""
        done = batch + 1
        aipower.step(max(0, done - self._batches))
        self._batches = done

    def on_train_end(self, logs: object = None) -> None:  # noqa: ARG002
        """`fit` has ended."""
        self._watch.end()

    def on_test_begin(self, logs: object = None) -> None:  # noqa: ARG002
        """`evaluate`, or the validation within `fit`."""
        self._watch.begin()
        self._watch.enter("test")

    def on_test_end(self, logs: object = None) -> None:  # noqa: ARG002
        """Its end."""
        self._leave("test")

    def on_predict_begin(self, logs: object = None) -> None:  # noqa: ARG002
        """`predict`."""
        self._watch.begin()
        self._watch.enter("predict")

    def on_predict_end(self, logs: object = None) -> None:  # noqa: ARG002
        """Its end."""
        self._leave("predict")

    def _leave(self, stage: str) -> None:
        self._watch.leave(stage)
        if not self._watch.is_in("train"):
            self._watch.end()


def _backend() -> Sync:
    waits: dict[str, Sync] = {"torch": "torch", "jax": "jax"}
    return waits.get(_keras.backend.backend())
