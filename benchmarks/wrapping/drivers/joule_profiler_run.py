"""`python joule_profiler_run.py COMMAND...` in the rival's own environment: its documented way to run a command."""

import os
import sys

from joule_profiler import JouleProfiler  # type: ignore[import-not-found]  # only in the rival's environment

SOURCES = ["nvml", "procfs"]
"""Not `rapl`: where the kernel has no such counter, it refuses to run."""

if __name__ == "__main__":
    run = JouleProfiler(SOURCES).profile(sys.argv[1:], use_root=os.geteuid() == 0)
    for phase in run:
        for source in phase.sources:
            for metric in source.metrics:
                print(f"{phase.name} {source.name} {metric.name} {metric.value} {metric.unit}", file=sys.stderr)
    sys.exit(run.summary.exit_code)
