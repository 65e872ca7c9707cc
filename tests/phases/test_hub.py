"""A measurement within the process listens, with and without an `aipower-run` around it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import aipower
from aipower.phases.hub import HUB, MOST_WAITING, Sink
from phases.receiver import Receiver, brief, parse


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    sink.open()
    yield sink
    sink.close()
    assert HUB.sinks == []


def heard(sink: Sink) -> list[str]:
    return [brief(parse(line)) for line in sink.read().decode().splitlines(keepends=True)]


@pytest.mark.usefixtures("alone")
def test_it_hears_without_a_run(sink: Sink) -> None:
    with aipower.phase("train"):
        aipower.step()
    aipower.metric(accuracy=0.5)
    assert heard(sink) == ["B train", "W steps 1.0", "E", "M accuracy 0.5"]
    assert heard(sink) == []


def test_both_hear(sink: Sink, receiver: Receiver) -> None:
    with aipower.phase("train"):
        pass
    assert heard(sink) == receiver.brief() == ["B train", "E"]


def test_it_hears_though_the_pipe_is_full(sink: Sink, receiver: Receiver) -> None:
    receiver.fill()
    with aipower.phase("train"):
        aipower.step()
    assert heard(sink) == ["B train", "W steps 1.0", "E"]


@pytest.mark.usefixtures("alone")
def test_two_measurements_hear_the_same_from_their_begin_to_their_end(sink: Sink) -> None:
    other = Sink()
    with aipower.phase("first"):
        other.open()
        aipower.step()
    other.close()
    aipower.step(2)
    assert heard(sink) == ["B first", "W steps 1.0", "E", "W steps 2.0"]
    assert heard(other) == ["W steps 1.0", "E"]


@pytest.mark.usefixtures("alone")
def test_after_its_end_nobody_listens() -> None:
    sink = Sink()
    sink.open()
    sink.close()
    sink.close()
    with aipower.phase("train") as phase:
        assert phase._spans is None
    assert sink.read() == b""


@pytest.mark.usefixtures("alone")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_has_no_listener(sink: Sink) -> None:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            aipower.step()
            code = 0 if not HUB.sinks and not sink.read() else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    aipower.step()
    assert heard(sink) == ["W steps 1.0"]


@pytest.mark.usefixtures("alone")
def test_what_nobody_fetches_does_not_fill_the_memory(sink: Sink) -> None:
    for number in range(MOST_WAITING + 10):
        sink.put(b"%d\n" % number)
    lines = sink.read().splitlines()
    assert (len(lines), lines[0]) == (MOST_WAITING, b"10")
