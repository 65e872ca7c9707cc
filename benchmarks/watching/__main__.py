"""All combinations of the issue's axes instead of a star: `python -m benchmarks.watching --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # the simulated driver lives there

from benchmarks.watching.cli import main

sys.exit(main())
