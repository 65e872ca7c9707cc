"""What a program says of itself to the `aipower-run` around it: its phases, its work, its results.

The standard library only, and nothing else of aipower: importing it costs a training script next to nothing. Without
an `aipower-run` every call returns at once. docs/decisions/018-phases-over-a-pipe.md tells the protocol.
"""

from aipower.phases.named import Phase, phase
from aipower.phases.work import log, metric, step

__all__ = ["Phase", "log", "metric", "phase", "step"]
