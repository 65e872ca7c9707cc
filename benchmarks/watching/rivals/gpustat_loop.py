"""What `gpustat --watch` does, without a terminal: gpustat_loop.py SECONDS READY."""

import io
import sys
import time
from pathlib import Path

from gpustat import GPUStatCollection  # type: ignore[import-not-found]

interval_s = float(sys.argv[1])
next_s = time.monotonic()
while True:
    GPUStatCollection.new_query().print_formatted(io.StringIO(), show_power=True, show_pid=True)
    Path(sys.argv[2]).touch()
    next_s = max(next_s + interval_s, time.monotonic())
    time.sleep(max(0.0, next_s - time.monotonic()))
