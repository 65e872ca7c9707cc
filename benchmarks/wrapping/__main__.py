"""`python -m benchmarks.wrapping [--quick] [--rivals FOLDER]`: the tables of this part alone.

With `--install` what is missing in FOLDER is installed there first.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.suite import rivals
from benchmarks.suite.table import Options
from benchmarks.wrapping.parts import tables


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="to see that it works, not for figures")
    parser.add_argument("--rivals", type=Path, help="folder with a virtual environment for each")
    parser.add_argument("--install", action="store_true", help="install those that are not there yet")
    asked = parser.parse_args()
    if asked.install and asked.rivals:
        rivals.install(asked.rivals)
    with tempfile.TemporaryDirectory(prefix="aipower-wrapping-") as folder:
        options = Options(Path(folder), Path(folder), asked.rivals, asked.quick)
        for table in tables(options):
            notes = "\n".join(f"- {note}" for note in table.notes)
            print(f"\n## {table.title}\n\n{table.markdown()}\n\n{notes}")


if __name__ == "__main__":
    main()
