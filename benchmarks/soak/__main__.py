"""`python -m benchmarks.soak`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from benchmarks.soak.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
