"""A load without a GPU: its units are naps. With PID_FILE in the environment it says who it is."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from benchmarks.gpu import load
from benchmarks.gpu.seams import LoadSpec, Work

UNIT_S = 0.0005


class Sleeper:
    version = "none"

    def unit_s(self, work: Work) -> float:
        del work
        return UNIT_S

    def launch(self, work: Work, units: int) -> float:
        del work
        return units * UNIT_S

    def wait(self, token: float) -> float:
        time.sleep(token)
        return token


def engine(spec: LoadSpec) -> Sleeper:
    if spec.memory_gb > 1:
        raise RuntimeError("out of memory")
    if "PID_FILE" in os.environ:
        Path(os.environ["PID_FILE"]).write_text(f"{os.getpid()}\n")
    return Sleeper()


if __name__ == "__main__":
    sys.exit(load.main(engine))
