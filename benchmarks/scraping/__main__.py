"""`python -m benchmarks.scraping [--quick] [--rivals FOLDER]`: the table of this part alone."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from benchmarks.scraping.parts import tables
from benchmarks.suite.table import Options


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scraping")
    parser.add_argument("--quick", action="store_true", help="to see that it works, not for figures")
    parser.add_argument("--rivals", type=Path, help="folder with a virtual environment for each")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aipower-scraping-") as folder:
        for table in tables(Options(Path(folder), Path(folder), asked.rivals, asked.quick)):
            notes = "\n".join(f"- {note}" for note in table.notes)
            print(f"## {table.title}\n\n{table.markdown()}\n\n{notes}")


if __name__ == "__main__":
    main()
