"""Ctrl-C while modules are being imported."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from aipower.imports.unbroken import imports

Handler = signal.Handlers | Callable[[int, FrameType | None], object]


@contextmanager
def handled_by(handler: Handler) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def idle_thread() -> Iterator[None]:
    """One that could take a signal in the main thread's place."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def test_an_interrupt_comes_after_the_imports_also_beside_other_threads() -> None:
    done = False
    with idle_thread(), handled_by(signal.default_int_handler):
        with pytest.raises(KeyboardInterrupt), imports():  # noqa: PT012 - what happens within is what is tested
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done = True
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert done


def test_a_handler_of_the_program_is_called_once_and_stays() -> None:
    calls: list[int] = []

    def handler(number: int, _frame: FrameType | None) -> None:
        calls.append(number)

    with handled_by(handler):
        with imports():
            signal.raise_signal(signal.SIGINT)
            assert not calls
        assert calls == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is handler


def test_who_ignores_it_goes_on_ignoring_it() -> None:
    with handled_by(signal.SIG_IGN):
        with imports():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_than_the_main_one_import_as_ever() -> None:
    entered: list[bool] = []

    def work() -> None:
        with imports():
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]


def test_a_failing_import_is_told_and_the_handler_is_back() -> None:
    with handled_by(signal.default_int_handler):
        with pytest.raises(ImportError), imports():
            raise ImportError("no such module")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
