"""Modules that the agent's packages import and that it hardly ever uses: they would stay for as long as it lives.

Resident memory that each takes, by `smaps_rollup` of a Python 3.11 that has imported little else: multiprocessing with
the pool of processes 1.9 MB, uvicorn's command line 1.5 MB, the names of HTML's characters 0.5 MB.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import ExitStack, contextmanager

from aipower.imports.standin import StandIn


@contextmanager
def spared() -> Iterator[None]:
    """While this context lasts, imports of them give something that imports them once they are needed."""
    with ExitStack() as stack:
        # Each line of the log would ask the stand-in of multiprocessing for the name of the process, and so import it.
        stack.callback(setattr, logging, "logMultiprocessing", logging.logMultiprocessing)
        logging.logMultiprocessing = False
        for module in _modules():
            stack.enter_context(module)
        yield


def _modules() -> Iterator[StandIn]:
    # uvicorn's, with click.
    yield StandIn("uvicorn.main", {"main", "run"}, {"Server": "uvicorn.server"})
    # uvicorn's, for the format of its own log, which we leave out.
    yield StandIn("logging.config", {"dictConfig", "fileConfig"})
    # APScheduler's, for executors that we do not have.
    yield StandIn("multiprocessing", {"get_context"}, package=True)
    yield StandIn("concurrent.futures.process", (), given={"BrokenProcessPool": BrokenExecutor})
    # APScheduler's, for time zones as Windows calls them.
    yield StandIn("tzlocal.windows_tz", ())
    # Starlette's, for its page of a traceback, which we do not show.
    yield StandIn("html", {"escape", "unescape"}, package=True)
