"""TensorBoard: `log_record(writer, m)`, with any `SummaryWriter`: torch's, tensorboardX's, or one like them."""

from __future__ import annotations

from typing import Any, Protocol

from aipower.integrations.scalars import record_of, scalars_of
from aipower.measuring import Measure
from aipower.record.report import render
from aipower.runrecord import RunRecord


class Writer(Protocol):
    """What is needed of a `SummaryWriter`."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int, /) -> Any:  # noqa: ANN401 - writers differ
        """Keep a number."""

    def add_text(self, tag: str, text_string: str, global_step: int, /) -> Any:  # noqa: ANN401 - likewise
        """Keep a text."""


def log_record(writer: Writer, measured: RunRecord | Measure, *, step: int = 0, prefix: str = "aipower") -> None:
    """Write all figures as scalars, and the report as a text.

    Args:
        writer: A `SummaryWriter`; it is not closed.
        measured: A measurement that has ended, or a record.
        step: The training step that the figures belong to.
        prefix: What the tags begin with.
    """
    record = record_of(measured)
    for name, value in scalars_of(record).items():
        writer.add_scalar(f"{prefix}/{name}", value, step)
    indented = "".join(f"    {line}\n" for line in render(record).splitlines())  # Markdown for "as it is"
    writer.add_text(f"{prefix}/report", indented, step)
