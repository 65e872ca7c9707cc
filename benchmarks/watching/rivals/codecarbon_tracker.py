"""codecarbon's tracker of the whole machine: codecarbon_tracker.py SECONDS READY."""

import sys
import time
from pathlib import Path

from codecarbon import OfflineEmissionsTracker  # type: ignore[import-not-found]

tracker = OfflineEmissionsTracker(
    country_iso_code="FRA",
    measure_power_secs=float(sys.argv[1]),
    tracking_mode="machine",
    save_to_file=False,
    allow_multiple_runs=True,
    log_level="error",
)
tracker.start()
Path(sys.argv[2]).touch()
while True:
    time.sleep(1)
