"""Profile the agent: `python -m benchmarks.profiling --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # the simulated driver lives there

from benchmarks.profiling.cli import main

sys.exit(main())
