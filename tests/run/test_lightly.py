"""What `aipower-run` keeps from being imported, and that nobody misses it."""

import ctypes.util
import subprocess
import sys
from pathlib import Path

import pytest

from aipower.run.lightly import lazy_util
from run.aipower_run import CODE, environment

LIMIT_S = 60.0
HEAVY = {
    "typing_extensions",
    "inspect",
    "ast",
    "subprocess",
    "tempfile",
    "dataclasses",
    "json",
    "difflib",
    "asyncio",
    "traceback",
    "ipaddress",
}
TELL = "print(*(name for name, module in sys.modules.items() if module), file=sys.stderr, flush=True)"


def printed(code: str) -> list[str]:
    """The words that an interpreter prints which runs `code`."""
    words = [sys.executable, "-c", code]
    told = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return told.stdout.split()


def test_a_run_without_an_agent_imports_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    code = f"import os, sys; end = os._exit; os._exit = lambda code: ({TELL}, end(code)); {CODE}"
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-agent", "-q", "--no-save", "true"],
        env=environment(), cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S, check=True,
    )  # fmt: skip
    loaded = set(done.stderr.split())
    assert {"msgspec", "aipower.record.compose"} <= loaded
    assert loaded & HEAVY == set()


def test_msgspec_is_the_same_without_typing_extensions() -> None:
    use = "import typing, msgspec; S = msgspec.defstruct('S', [('a', typing.Annotated[int, msgspec.Meta(gt=0)])])"
    tell = "print(msgspec.json.decode(b'{\"a\": 3}', type=S).a, 'typing_extensions' in sys.modules)"
    light = "import sys; from aipower.run.lightly import import_msgspec; import_msgspec()"
    assert printed(f"{light}; {use}; {tell}") == ["3", "False"]


@pytest.mark.parametrize("first", ["import typing_extensions", "import msgspec"])
def test_what_is_there_already_stays(first: str) -> None:
    code = (
        f"import sys; {first}; before = dict(sys.modules)\n"
        "from aipower.run.lightly import import_msgspec; import_msgspec(); import msgspec\n"
        "print(all(sys.modules[name] is module for name, module in before.items()))"
    )
    assert printed(code) == ["True"]


def test_typing_extensions_can_be_imported_afterwards() -> None:
    light = "from aipower.run.lightly import import_msgspec; import_msgspec()"
    assert printed(f"{light}; import typing_extensions as t; print(t.__name__)") == ["typing_extensions"]


def test_the_real_module_stays_where_it_is_there() -> None:
    with lazy_util():
        assert sys.modules["ctypes.util"] is ctypes.util
    assert sys.modules["ctypes.util"] is ctypes.util


def test_who_calls_the_stand_in_is_answered_by_the_real_one() -> None:
    code = (
        "import sys; from aipower.run.lightly import lazy_util\n"
        "with lazy_util():\n"
        "    from ctypes.util import find_library\n"
        "    import pynvml\n"
        "    print('subprocess' in sys.modules)\n"
        "print('ctypes.util' in sys.modules)\n"
        "found = find_library('c')\n"
        "from ctypes.util import find_library as real\n"
        "print(real is not find_library and found == real('c'))"
    )
    assert printed(code) == ["False", "False", "True"]


def test_uvicorn_is_whole_without_its_command_line() -> None:
    code = (
        "import sys; from aipower.imports.standin import StandIn\n"
        "with StandIn('uvicorn.main', {'main', 'run'}, {'Server': 'uvicorn.server'}):\n"
        "    import uvicorn\n"
        "print({'click', 'multiprocessing', 'uvicorn.main'} & set(sys.modules))\n"
        "from uvicorn.server import Server\n"
        "print(uvicorn.Server is Server)\n"
        "run = uvicorn.run\n"
        "import uvicorn.main\n"
        "try: run()\n"
        "except TypeError as error: print('app' in str(error), 'click' in sys.modules)"
    )
    assert printed(code) == ["set()", "True", "True", "True"]


def test_what_a_stand_in_does_not_know_is_the_real_modules() -> None:
    code = (
        "from aipower.imports.standin import StandIn\n"
        "with StandIn('colorsys', {'hls_to_rgb'}):\n"
        "    from colorsys import ONE_THIRD, hls_to_rgb\n"
        "import colorsys\n"
        "print(ONE_THIRD == colorsys.ONE_THIRD, hls_to_rgb(0.5, 0.5, 0.5) == colorsys.hls_to_rgb(0.5, 0.5, 0.5))"
    )
    assert printed(code) == ["True", "True"]


def test_a_traceback_can_be_logged_and_a_path_be_a_url() -> None:
    code = (
        "from aipower.run.lightly import import_library; import_library()\n"
        "import io, logging, pathlib\n"
        "logging.basicConfig(stream=(told := io.StringIO()))\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: logging.exception('broken')\n"
        "print('ZeroDivisionError: division by zero' in told.getvalue(), pathlib.Path('/a b').as_uri())"
    )
    assert printed(code) == ["True", "file:///a%20b"]
