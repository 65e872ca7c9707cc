"""`python -m benchmarks.crash`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from benchmarks.crash.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
