"""`aipower.step`, `aipower.log` and `aipower.metric`: what was done, and how well."""

from __future__ import annotations

import math
from typing import SupportsFloat

from aipower.phases.channel import our_pipe
from aipower.phases.hub import HUB
from aipower.phases.message import scored, worked
from aipower.phases.span import number_here


def step(n: SupportsFloat = 1) -> None:
    """`n` more steps of the training were done in the current phase: the report then has J/step.

    Raises:
        TypeError: `n` is no number.
    """
    _check("n", n)
    if HUB.sinks or our_pipe() is not None:
        _work("steps", n)


def log(**amounts: SupportsFloat) -> None:
    """So much more was done in the current phase, as in `log(tokens=8192, samples=32)`: the report then has J/token.

    Amounts add up. What is negative or not finite is left out. The value of a tensor on a GPU is asked for only under
    `aipower-run`; to ask for it waits for the GPU, so numbers of the program's own are better.

    Raises:
        TypeError: An amount is no number.
    """
    for unit, amount in amounts.items():
        _check(unit, amount)
    if HUB.sinks or our_pipe() is not None:
        for unit, amount in amounts.items():
            _work(unit, amount)


def metric(**values: SupportsFloat) -> None:
    """Figures of merit that the record of the run carries, as in `metric(accuracy=0.91)`.

    The last value that is finite counts.

    Raises:
        TypeError: A value is no number.
    """
    for name, value in values.items():
        _check(name, value)
    if not HUB.sinks and our_pipe() is None:
        return
    span = number_here()
    for name, value in values.items():
        number = _number(value)
        if number is not None and math.isfinite(number):
            HUB.send(scored(span, name, number))


def _work(unit: str, amount: SupportsFloat) -> None:
    number = _number(amount)
    if number is not None and math.isfinite(number) and number >= 0:
        HUB.send(worked(number_here(), unit, number))


def _check(name: str, value: object) -> None:
    """Complain of what is no number, whether or not it is used: a program must not fail under `aipower-run` alone.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, float | int) and not hasattr(type(value), "__float__"):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")


def _number(value: SupportsFloat) -> float | None:
    """None for what is no single number after all, as a tensor of several."""
    try:
        return float(value)
    except Exception:  # noqa: BLE001 - frameworks raise what they like
        return None
