"""Uses the supervisor as aipower-run does: driver.py FOLDER [--wait-all] [--report] -- COMMAND..."""

import json
import os
import sys
import threading
from pathlib import Path

from aipower.run.supervise import CommandError, Outcome, Supervisor, prepare


def write(path: Path, data: object) -> None:
    """Write `data` so that a reader sees all of it or nothing."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(data))
    draft.rename(path)


def sample(stop: threading.Event) -> None:
    while not stop.wait(0.005):
        pass


def supervise(supervisor: Supervisor, folder: Path, argv: list[str], flags: list[str]) -> int:
    os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)  # as a careless library would
    exits: list[str] = []
    command = supervisor.spawn(argv, {"AIPOWER_TEST_RUN": folder.name})
    write(
        folder / "started.json",
        {"wrapper": os.getpid(), "command": command, "witness": supervisor._witness.pid},
    )
    outcome = supervisor.wait(wait_all="--wait-all" in flags, on_exit=lambda: exits.append("end"))
    write(folder / "outcome.json", {name: getattr(outcome, name) for name in Outcome.__slots__} | {"exits": exits})
    if "--report" in flags:
        print("driver: end", file=sys.stderr)
    return outcome.exit_code


def main(folder: str, *rest: str) -> int:
    flags, argv = list(rest[: rest.index("--")]), list(rest[rest.index("--") + 1 :])
    stop = threading.Event()
    with prepare() as supervisor:
        threading.Thread(target=sample, args=(stop,)).start()
        try:
            return supervise(supervisor, Path(folder), argv, flags)
        except CommandError as error:
            print(error, file=sys.stderr)
            return error.exit_code
        finally:
            stop.set()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
