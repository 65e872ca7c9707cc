"""Run the suite: `python -m benchmarks.suite --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # the simulated driver lives there

from benchmarks.suite.cli import main

sys.exit(main())
