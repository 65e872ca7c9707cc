"""A command that logs each signal it gets: counter.py FOLDER SIGNAL... It ends with 5 when FOLDER/finish appears.

Signals named with a leading minus are ignored. One line per signal in FOLDER/log: its name.
"""

import os
import signal
import sys
from pathlib import Path


def number(name: str) -> int:
    base, _, offset = name.partition("+")
    return signal.Signals[base] + int(offset or 0)


def main(folder: Path, names: list[str]) -> int:
    for name in names:
        if name.startswith("-"):
            signal.signal(number(name[1:]), signal.SIG_IGN)
    counted = {number(name): name for name in names if not name.startswith("-")}
    signal.pthread_sigmask(signal.SIG_BLOCK, counted)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    (folder / "ready").touch()
    while not (folder / "finish").exists():
        info = signal.sigtimedwait(counted, 0.01)
        if info is not None and info.si_signo in counted:  # after a stop Python 3.11 may return rubbish
            os.write(log, f"{counted[info.si_signo]}\n".encode())
    return 5


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
