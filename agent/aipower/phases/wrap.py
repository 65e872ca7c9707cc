"""Functions, generators and their asynchronous kin that run in a phase."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, TypeVar, cast

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")
Around = AbstractContextManager[object]


def wrapped(function: FunctionT, around: Around) -> FunctionT:
    """`function`, in `around` whenever it runs.

    Raises:
        TypeError: It is no function, or a class or method descriptor, which would no longer be one.
    """
    if isinstance(function, type | staticmethod | classmethod) or not callable(function):
        raise TypeError(
            f"only a function can be decorated, not {type(function).__name__}; "
            "write the decorator below @staticmethod and @classmethod, and on the methods of a class"
        )
    return cast("FunctionT", functools.wraps(function)(_wrapper_of(function, around)))


def _wrapper_of(function: Callable[..., Any], around: Around) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(function):
        return _async_generator_wrapper(function, around)
    if inspect.iscoroutinefunction(function):
        return _coroutine_wrapper(function, around)
    if inspect.isgeneratorfunction(function):
        return _generator_wrapper(function, around)
    return _plain_wrapper(function, around)


def _plain_wrapper(function: Callable[P, R], around: Around) -> Callable[P, R]:
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with around:
            return function(*args, **kwargs)

    return run


def _coroutine_wrapper(
    function: Callable[P, Coroutine[Any, Any, R]], around: Around
) -> Callable[P, Coroutine[Any, Any, R]]:
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with around:
            return await function(*args, **kwargs)

    return run


def _generator_wrapper(
    function: Callable[P, Generator[Any, Any, R]], around: Around
) -> Callable[P, Generator[Any, Any, R]]:
    """In `around` from each resumption to the next yield."""

    def run(*args: P.args, **kwargs: P.kwargs) -> Generator[Any, Any, R]:
        inner = function(*args, **kwargs)
        resume: Callable[[Any], Any] = inner.send
        sent: Any = None
        while True:
            try:
                with around:
                    item = resume(sent)
            except StopIteration as end:
                return cast("R", end.value)
            try:
                sent = yield item
                resume = inner.send
            except GeneratorExit:
                with around:
                    inner.close()
                raise
            except BaseException as error:  # noqa: BLE001 - whatever is thrown in is for the inner one
                resume, sent = inner.throw, error

    return run


def _async_generator_wrapper(
    function: Callable[P, AsyncGenerator[Any, Any]], around: Around
) -> Callable[P, AsyncGenerator[Any, Any]]:
    """As `_generator_wrapper`."""

    async def run(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **kwargs)
        resume: Callable[[Any], Any] = inner.asend
        sent: Any = None
        while True:
            try:
                with around:
                    item = await resume(sent)
            except StopAsyncIteration:
                return
            try:
                sent = yield item
                resume = inner.asend
            except GeneratorExit:
                with around:
                    await inner.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - as above
                resume, sent = inner.athrow, error

    return run
