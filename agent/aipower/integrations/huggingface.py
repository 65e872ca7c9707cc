"""Hugging Face Transformers: `Trainer(callbacks=[AipowerCallback()])`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import aipower
from aipower.integrations.scalars import scalars_of
from aipower.integrations.watch import Watch
from aipower.phases.sync import Sync

if TYPE_CHECKING:
    from aipower.measuring import Measure

_TrainerCallback: Any = importlib.import_module("transformers").TrainerCallback


class AipowerCallback(_TrainerCallback):  # type: ignore[misc]
    """Names the stages (`train`, `evaluate`, `predict`), counts steps and tokens, and keeps the energy.

    The phases are for an `aipower-run` around the program. Without one the callback measures `train()` by itself: the
    joules are in `trainer.state.log_history` afterwards, and in `measurement`. It measures its own process and those
    it has started.

    Tokens are counted if the trainer does so (`include_num_input_tokens_seen`). The trainer has no event for the begin
    of an `evaluate()` or `predict()` outside of training: their phase begins with the end of the first batch.
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
        self._tokens = 0.0

    @property
    def measurement(self) -> Measure | None:
        """The last measurement; None if there was none."""
        return self._watch.measurement

    def on_train_begin(self, args: object, state: Any, control: object, **_: object) -> None:  # noqa: ANN401, ARG002 - the signature of transformers
        """Measure from now on."""
        self._steps, self._tokens = state.global_step, float(state.num_input_tokens_seen)
        self._watch.end()  # of a training that an error has ended
        self._watch.begin()
        self._watch.enter("train")

    def on_step_end(self, args: object, state: Any, control: Any, **_: object) -> None:  # noqa: ANN401, ARG002 - as above
        """A step of the optimizer is done. All ranks do the same steps and know of all tokens: one of them counts."""
        if state.is_world_process_zero:
            aipower.step(max(0, state.global_step - self._steps))
            tokens = float(state.num_input_tokens_seen)
            if tokens > self._tokens:
                aipower.log(tokens=tokens - self._tokens)
            self._tokens = max(tokens, self._tokens)
        self._steps = state.global_step
        self._evaluate_if(control)

    def on_epoch_end(self, args: object, state: object, control: Any, **_: object) -> None:  # noqa: ANN401, ARG002 - as above
        """The trainer may evaluate now."""
        self._evaluate_if(control)

    def on_prediction_step(self, args: object, state: object, control: object, **_: object) -> None:  # noqa: ARG002 - as above
        """A batch outside of training is done."""
        if not self._watch.is_in("evaluate"):
            self._watch.enter("evaluate")

    def on_evaluate(self, args: object, state: object, control: object, **_: object) -> None:  # noqa: ARG002 - as above
        """The evaluation has ended."""
        self._watch.leave("evaluate")

    def on_predict(self, args: object, state: object, control: object, *_: object, **__: object) -> None:  # noqa: ARG002 - as above
        """The prediction has ended."""
        self._watch.leave("evaluate")

    def on_train_end(self, args: object, state: Any, control: object, **_: object) -> None:  # noqa: ANN401, ARG002 - as above
        """The end; the history gets the figures."""
        measurement = self._watch.end()
        if measurement is not None and state.is_world_process_zero:
            figures = {f"aipower/{name}": value for name, value in scalars_of(measurement.record).items()}
            state.log_history.append({**figures, "step": state.global_step})

    def _evaluate_if(self, control: Any) -> None:  # noqa: ANN401 - as above
        """The trainer's own callback, which comes before ours, has decided whether it evaluates next."""
        if control.should_evaluate and not self._watch.is_in("evaluate"):
            self._watch.enter("evaluate")
