"""What the agent's packages import and it never uses is not there, and is whole where somebody uses it."""

from __future__ import annotations

import subprocess
import sys

import pytest

SPARED = "click html.entities logging.config multiprocessing.context tzlocal.windows_tz uvicorn.main"
START = (
    "import sys; from aipower.daemon.spared import spared\n"
    "with spared():\n"
    "    from aipower.daemon import agent\n"
    "    agent.load_exporters()\n"
    "    from importlib.metadata import entry_points\n"
    "    for point in entry_points(group='aipower.sites'): point.load()\n"
)


def printed(code: str) -> list[str]:
    """What a Python of its own prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_agent_does_without() -> None:
    code = (
        f"{START}import logging; logging.getLogger().warning('x')\nprint({{*{SPARED.split()!r}}} & set(sys.modules))"
    )
    assert printed(code) == ["set()"]


def test_what_is_spared_can_be_used_all_the_same() -> None:
    code = (
        f"{START}"
        "import apscheduler.executors.pool as pool, starlette.middleware.errors as errors, tzlocal.utils, html\n"
        "import concurrent.futures, multiprocessing, uvicorn.config\n"
        "from concurrent.futures.process import BrokenProcessPool\n"
        "print(issubclass(BrokenProcessPool, pool.BrokenProcessPool))\n"
        "print(pool.multiprocessing.get_context('spawn') is multiprocessing.get_context('spawn'))\n"
        "print(errors.html.escape('<'), html.escape('<'))\n"
        "print('Europe/Berlin' in tzlocal.utils.windows_tz.tz_win)\n"
        "with concurrent.futures.ProcessPoolExecutor(1) as executor: print(executor.submit(abs, -1).result())\n"
        "import logging.config; logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False})\n"
    )
    assert printed(code) == ["True", "True", "&lt; &lt;", "True", "1"]


@pytest.mark.parametrize(
    "code",
    [
        "import html.parser; print(html.parser.HTMLParser is not None, html.unescape('&lt;'))",
        "from html import parser; import html; print(html.parser is parser, html.unescape('&lt;'))",
        "import multiprocessing.pool; print(multiprocessing.pool.ThreadPool(1).apply(abs, (-1,)) == 1, '<')",
        "from multiprocessing import shared_memory, Pool; print(callable(Pool), '<')",
        "from concurrent.futures import ProcessPoolExecutor as P; print(P(1).submit(abs, -1).result() == 1, '<')",
        "import logging.config; print(callable(logging.config.dictConfig), '<')",
    ],
)
def test_a_plugin_may_import_what_it_likes(code: str) -> None:
    began = "from aipower.daemon.spared import spared\nwith spared():"
    assert printed(f"{began}\n    {code.partition(';')[0]}\n{code}") == ["True <"]
    assert printed(f"{began} {code}") == ["True <"]
