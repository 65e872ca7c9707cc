"""Gives a measurement to TensorBoard, and reads it back: log_tensorboard.py MODULE-OF-SUMMARYWRITER."""

# mypy: ignore-errors
# The libraries are not there where types are checked.

from __future__ import annotations

import importlib
import json
import sys
import time

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import aipower
from aipower.integrations.tensorboard import log_record

with aipower.measure("tiny", sensors="fake") as m:
    time.sleep(0.2)
with importlib.import_module(sys.argv[1]).SummaryWriter("board") as writer:
    log_record(writer, m, step=7)
events = EventAccumulator("board")
events.Reload()
(energy,) = events.Scalars("aipower/energy_j")
(report,) = events.Tensors("aipower/report/text_summary")
print()
print(json.dumps({
    "tags": events.Tags()["scalars"],
    "energy_j": [energy.step, energy.value],
    "expected_j": m.energy_j,
    "report": report.tensor_proto.string_val[0].decode(),
}))  # fmt: skip
