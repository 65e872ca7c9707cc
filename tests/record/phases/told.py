"""Lines as programs write them."""

from __future__ import annotations

from aipower.record.phases.marks import Marks

PID = 7


def begin(at_s: float, id_: int, name: str, parent: int = 0, pid: int = PID) -> bytes:
    return f"B {round(at_s * 1e9)} {pid} {id_} {parent} {name}\n".encode()


def end(at_s: float, id_: int, pid: int = PID) -> bytes:
    return f"E {round(at_s * 1e9)} {pid} {id_}\n".encode()


def work(at_s: float, id_: int, unit: str, amount: float, pid: int = PID) -> bytes:
    return f"W {round(at_s * 1e9)} {pid} {id_} {unit} {amount!r}\n".encode()


def marks(*lines: bytes, start_s: float = 10.0) -> Marks:
    """What was told of a run that began at `start_s`."""
    heard = Marks()
    heard.start(start_s)
    for line in lines:
        heard.feed(line)
    return heard
