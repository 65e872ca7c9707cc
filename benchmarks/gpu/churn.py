"""Many short GPU processes, one after another: `python -m benchmarks.gpu.churn COUNT SECONDS`. Needs torch.

torch is loaded once and each process forks from there, before CUDA is touched. Each says a line of JSON at its end.
"""

from __future__ import annotations

import importlib
import os
import sys
import time

from benchmarks.gpu.load import say
from benchmarks.gpu.seams import LoadSpec

BATCH = 4


def short_life(seconds: float) -> None:
    """One process: a context, `seconds` of work, a line about it."""
    from benchmarks.gpu.torch_engine import TorchEngine  # noqa: PLC0415 - after the fork

    engine = TorchEngine(LoadSpec(work="none"))
    busy_s = engine.prepare()
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        busy_s += engine.wait(engine.launch("compute", BATCH))
    say(pid=os.getpid(), busy_s=busy_s)


def fork_one(seconds: float) -> int:
    """The exit code of one short life."""
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            short_life(seconds)
            code = 0
        except (ImportError, RuntimeError) as error:
            say(error=str(error))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> int:
    """The first exit code that is not 0, or 0."""
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    try:
        importlib.import_module("torch")
    except ImportError as error:
        say(error=str(error))
        return 3
    for _ in range(count):
        code = fork_one(seconds)
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
