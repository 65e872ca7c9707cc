"""Phases: nested, in threads, tasks, forks and generators."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

import aipower
from aipower.phases import span as spans
from phases.receiver import Receiver, brief


def test_a_phase_begins_and_ends(receiver: Receiver) -> None:
    with aipower.phase("train"):
        pass
    begun, ended = receiver.messages()
    assert (begun.kind, begun.rest, begun.pid) == ("B", ("0", "train"), os.getpid())
    assert (ended.kind, ended.span, ended.pid) == ("E", begun.span, os.getpid())
    assert begun.span > 0
    assert begun.at_ns <= ended.at_ns


def test_phases_nest(receiver: Receiver) -> None:
    with aipower.phase("epoch"), aipower.phase("train"):
        pass
    outer, inner, first_end, last_end = receiver.messages()
    assert inner.rest == (str(outer.span), "train")
    assert (first_end.span, last_end.span) == (inner.span, outer.span)


def test_an_error_passes_through_and_ends_the_phase(receiver: Receiver) -> None:
    with pytest.raises(KeyError), aipower.phase("train"):
        raise KeyError
    assert [message.kind for message in receiver.messages()] == ["B", "E"]
    assert spans.here() is None


def test_one_object_within_itself(receiver: Receiver) -> None:
    again = aipower.phase("again")
    with again, again:
        pass
    outer, inner, first_end, last_end = receiver.messages()
    assert inner.rest[0] == str(outer.span)
    assert (first_end.span, last_end.span) == (inner.span, outer.span)


def test_what_is_left_out_of_order_is_no_parent(receiver: Receiver) -> None:
    outer, inner = aipower.phase("outer"), aipower.phase("inner")
    outer.__enter__()
    inner.__enter__()
    outer.__exit__()
    with aipower.phase("next"):
        pass
    inner.__exit__()
    with aipower.phase("last"):
        pass
    told = receiver.messages()
    by_name = {message.rest[1]: message for message in told if message.kind == "B"}
    assert by_name["next"].rest[0] == str(by_name["inner"].span)
    assert by_name["last"].rest[0] == "0"


def test_a_thread_starts_at_the_top(receiver: Receiver) -> None:
    def work() -> None:
        with aipower.phase("thread"):
            pass

    with aipower.phase("main"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert [brief(message) for message in receiver.messages()] == ["B main", "B thread", "E", "E"]


def test_many_threads_in_one_object(receiver: Receiver) -> None:
    shared = aipower.phase("shared")

    def work() -> None:
        for _ in range(50):
            with shared, aipower.phase("part"):
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = receiver.messages()
    begun = [message for message in told if message.kind == "B"]
    assert len(begun) == 8 * 50 * 2
    assert len({message.span for message in begun}) == len(begun)
    assert sorted(m.span for m in told if m.kind == "E") == sorted(m.span for m in begun)
    names = {message.span: message.rest[1] for message in begun}
    assert {names[int(m.rest[0])] for m in begun if m.rest[1] == "part"} == {"shared"}


def test_tasks_have_the_phase_of_their_maker_and_then_their_own(receiver: Receiver) -> None:
    async def work(name: str) -> None:
        async with aipower.phase(name):
            await asyncio.sleep(0)
            with aipower.phase(f"{name}-part"):
                await asyncio.sleep(0)

    async def main() -> None:
        with aipower.phase("serve"):
            await asyncio.gather(work("a"), work("b"))

    asyncio.run(main())
    told = receiver.messages()
    names = {message.span: message.rest[1] for message in told if message.kind == "B"}
    parents = {m.rest[1]: names.get(int(m.rest[0])) for m in told if m.kind == "B"}
    assert parents == {"serve": None, "a": "serve", "b": "serve", "a-part": "a", "b-part": "b"}


def test_a_task_that_outlives_its_makers_phase(receiver: Receiver) -> None:
    async def late(go: asyncio.Event) -> None:
        await go.wait()
        with aipower.phase("late"):
            pass

    async def main() -> None:
        go = asyncio.Event()
        with aipower.phase("early"):
            task = asyncio.create_task(late(go))
            await asyncio.sleep(0)
        go.set()
        await task

    asyncio.run(main())
    assert receiver.brief() == ["B early", "E", "B late", "E"]


def test_left_in_another_context(receiver: Receiver) -> None:
    """An async generator that is closed by the event loop leaves its phase in a task of its own."""
    phase = aipower.phase("stream")

    async def enter() -> None:
        phase.__enter__()

    async def leave() -> None:
        phase.__exit__()

    asyncio.run(enter())
    asyncio.run(leave())
    begun, ended = receiver.messages()
    assert (ended.kind, ended.span) == ("E", begun.span)


def test_decorators(receiver: Receiver) -> None:
    @aipower.phase("twice")
    def double(value: int) -> int:
        """Twice the value."""
        return 2 * value

    @aipower.phase
    def plain() -> str:
        return "here"

    assert (double(4), plain()) == (8, "here")
    assert (double.__name__, double.__doc__) == ("double", "Twice the value.")
    assert receiver.brief() == ["B twice", "E", "B plain", "E"]


def test_a_method_is_named_with_its_class(receiver: Receiver) -> None:
    class Trainer:
        @aipower.phase
        def fit(self) -> Trainer:
            return self

        @staticmethod
        @aipower.phase("static")
        def helper() -> int:
            return 1

    trainer = Trainer()
    assert trainer.fit() is trainer
    assert trainer.helper() == 1
    assert receiver.brief() == ["B Trainer.fit", "E", "B static", "E"]


def test_a_generator_is_in_its_phase_only_while_it_runs(receiver: Receiver) -> None:
    @aipower.phase("data")
    def batches() -> Iterator[int]:
        yield 1
        yield 2

    for _ in batches():
        with aipower.phase("use"):
            pass
    assert receiver.brief() == ["B data", "E", "B use", "E", "B data", "E", "B use", "E", "B data", "E"]


@pytest.mark.usefixtures("receiver")
def test_a_generator_keeps_its_ways() -> None:
    seen: list[object] = []

    @aipower.phase
    def talk() -> Iterator[object]:
        try:
            seen.append((yield 1))
            try:
                yield 2
            except KeyError as error:
                seen.append(type(error))
            yield 3
        finally:
            seen.append("closed")

    talker = talk()
    assert next(talker) == 1
    assert talker.send("word") == 2  # type: ignore[attr-defined]
    assert talker.throw(KeyError()) == 3  # type: ignore[attr-defined]
    talker.close()  # type: ignore[attr-defined]
    assert seen == ["word", KeyError, "closed"]

    @aipower.phase
    def fails() -> Iterator[int]:
        yield 1
        raise OSError

    with pytest.raises(OSError):
        list(fails())


def test_coroutines_and_async_generators(receiver: Receiver) -> None:
    seen: list[object] = []

    @aipower.phase("answer")
    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    @aipower.phase("stream")
    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            seen.append("closed")

    async def main() -> None:
        seen.append(await answer())
        async with contextlib.aclosing(stream()) as items:  # type: ignore[type-var]
            seen.append(await anext(items))

    asyncio.run(main())
    assert seen == [42, 1, "closed"]
    assert receiver.brief() == ["B answer", "E", "B stream", "E", "B stream", "E"]


@pytest.mark.parametrize("wrong", [1, None, b"train", ["train"]])
@pytest.mark.parametrize("around", ["alone", "receiver"])
def test_a_wrong_name_is_told_with_and_without_a_run(
    wrong: object, around: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(around)
    with pytest.raises(TypeError, match="a phase needs a name"):
        aipower.phase(wrong)  # type: ignore[call-overload]


def test_what_cannot_be_decorated() -> None:
    with pytest.raises(TypeError, match="only a function"):
        aipower.phase("x")(int)
    with pytest.raises(TypeError, match="only a function"):
        aipower.phase("x")(staticmethod(len))
    with pytest.raises(TypeError, match="only a function"):
        aipower.phase("x")("name")  # type: ignore[type-var]


@pytest.mark.usefixtures("alone")
def test_without_a_run_nothing_happens() -> None:
    with aipower.phase("train") as phase:
        aipower.step()
        aipower.log(tokens=3)
        aipower.metric(accuracy=0.5)
        assert spans.here() is None
    assert phase._spans is None


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_is_not_in_its_parents_phase(receiver: Receiver) -> None:
    phase = aipower.phase("parent")
    with phase:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                aipower.step(2)
                with aipower.phase("child"):
                    aipower.step(3)
                phase.__exit__()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
    told = receiver.messages()
    own, of_child = [m for m in told if m.pid == os.getpid()], [m for m in told if m.pid == child]
    assert [brief(message) for message in own] == ["B parent", "E"]
    assert [brief(message) for message in of_child] == ["W steps 2.0", "B child", "W steps 3.0", "E"]
    assert [message.span == 0 for message in of_child] == [True, False, False, False]
