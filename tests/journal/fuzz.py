"""Damages journals at random: loading raises nothing, and a ledger can go on with whatever comes out.

    python tests/journal/fuzz.py --inputs 100000 [--seed N]

Half of the inputs are damaged bytes of a slot, the others damaged counters under a checksum that fits.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from aipower.journal.encode import encode  # noqa: E402 - as a script it must find the other tests' parts first
from aipower.journal.folder import SLOTS, Folder  # noqa: E402
from aipower.journal.journal import Journal  # noqa: E402
from aipower.journal.slots import Sealed, seal  # noqa: E402
from aipower.model import Position  # noqa: E402
from fakes import CPU, GPU  # noqa: E402
from journal.books import Directory, again, assert_no_fall, live, new_ledger, shot  # noqa: E402

VALUES: tuple[object, ...] = (-1, 0, 2**70, 0.5, -1e300, None, "", "\0zz", "gpu", [], {}, [[0, 1]], True, "x" * 300)


def payload() -> bytes:
    """Of a ledger with some of everything."""
    directory = Directory()
    ledger = new_ledger(directory, cap=2)
    work = {(pid, 1): 1.0 for pid in range(1, 5)}
    live(ledger, directory, [(GPU, 10**6, work, {1}), (CPU, 10**7, work, set()), (GPU, 10**6, work, set())])
    return encode(shot(ledger, {GPU.id: Position(1.0, 7, 3)}))


def damaged_bytes(dice: random.Random, data: bytes) -> bytes:
    """Cut, flipped, spliced or replaced."""
    place, other = dice.randrange(len(data)), dice.randrange(len(data))
    match dice.randrange(4):
        case 0:
            return data[:place]
        case 1:
            return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]
        case 2:
            return data[:place] + data[other:]
        case _:
            return dice.randbytes(place)


def damaged_values(dice: random.Random, value: object) -> object:
    """`value` with one of its parts, at any depth, replaced or left out."""
    if isinstance(value, dict | list) and value and dice.random() < 0.8:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = dice.choice(keys)
        items = {k: value[k] for k in keys}
        if dice.random() < 0.1:
            del items[key]
        else:
            items[key] = damaged_values(dice, items[key])
        return items if isinstance(value, dict) else list(items.values())
    return dice.choice(VALUES)


def outcome(folder: Path) -> str:
    """What loading gives; a ledger goes on with it."""
    found = Journal(Folder(folder)).load()
    if found.state is None:
        return found.trouble.reason if found.trouble else "nothing"
    directory = Directory()
    ledger = again(found.state, directory, 10.0)
    first = shot(ledger)
    live(ledger, directory, [(GPU, 1000, {(1, 1): 1.0}, set())], since=10)
    assert_no_fall(first, shot(ledger))
    return "counters"


def fuzz(inputs: int, seed: int) -> Counter[str]:
    """How often what came of it."""
    dice, data, found = random.Random(seed), payload(), Counter[str]()
    sealed, values = seal(Sealed(3, data)), msgspec.json.decode(data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(inputs):
            good = damaged_bytes(dice, sealed)
            bad = seal(Sealed(4, msgspec.json.encode(damaged_values(dice, values))))
            (folder / SLOTS[0]).write_bytes(good if number % 2 else bad)
            (folder / SLOTS[1]).write_bytes(damaged_bytes(dice, sealed) if number % 3 else sealed)
            found[outcome(folder)] += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began_s = time.monotonic()
    found = fuzz(arguments.inputs, arguments.seed)
    print(f"{arguments.inputs} inputs, {arguments.inputs / (time.monotonic() - began_s):.0f}/s:", dict(found))


if __name__ == "__main__":
    main()
