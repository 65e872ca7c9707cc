"""`python -m benchmarks.month [--samples 1e8] [--days 30]`: exits with 1 if a sum does not hold."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from benchmarks.month.parts import FULL, SAMPLES, measure


def main() -> int:
    """Live, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.month")
    parser.add_argument("--samples", type=float, default=float(SAMPLES), help="in all; 1e8 takes about half an hour")
    parser.add_argument("--days", type=float, default=FULL.days)
    asked = parser.parse_args()
    found = measure(replace(FULL, days=asked.days), round(asked.samples))
    notes = "\n".join(f"- {note}" for note in found.notes)
    print(f"## {found.title}\n\n{found.markdown()}\n\n{notes}")
    return 0 if any(note == "Sums that did not hold: 0." for note in found.notes) else 1


if __name__ == "__main__":
    sys.exit(main())
