"""halves.py FILE UNITS: works through half of each tenth of a second and sleeps through the other, for a second.

The work is a fixed amount, so that whoever disturbs it makes it longer. Notes what `load` notes: see load.c.
"""

import sys
import time

TURNS, REST_S = 10, 0.05


def work(units: int) -> int:
    """A while of plain computing."""
    value = 0
    for number in range(units):
        value = (value * 31 + number) & 0xFFFF
    return value


def main() -> None:
    """Work, rest, and write down how long that took."""
    began_ns = time.monotonic_ns()
    path, units = sys.argv[1], int(sys.argv[2])
    for _ in range(TURNS):
        work(units)
        time.sleep(REST_S)
    cpu_ns = time.process_time_ns()
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - to import pathlib takes longer than all else
        file.write(f"{began_ns} {time.monotonic_ns()} {cpu_ns}\n")


if __name__ == "__main__":
    main()
