"""zeus' PowerMonitor on all GPUs, asked once a second what it has: zeus_power.py SECONDS READY."""

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    from zeus.monitor import PowerMonitor  # type: ignore[import-not-found]

    monitor = PowerMonitor(update_period=float(sys.argv[1]), max_samples_per_gpu=3600)
    Path(sys.argv[2]).touch()
    while True:
        time.sleep(1)
        monitor.get_power()
