"""`python -m benchmarks.fuzz`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from benchmarks.fuzz.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
