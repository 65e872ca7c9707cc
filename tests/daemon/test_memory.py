"""What the agent gives back once it has started."""

import subprocess
import sys

LIMIT_S = 60.0


def printed(code: str) -> str:
    """What an interpreter prints which runs `code`."""
    words = [sys.executable, "-c", code]
    return subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout.strip()


def test_what_is_free_goes_back_and_what_is_there_is_looked_at_no_more() -> None:
    code = (
        "import gc, os, ctypes\n"
        "from aipower.daemon.memory import give_back, share_heap\n"
        "resident = lambda: int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE')\n"
        "assert share_heap()\n"
        "rows = [ctypes.create_string_buffer(2000) for _ in range(20000)]\n"
        "last = ctypes.create_string_buffer(2000)\n"
        "del rows\n"
        "before = resident()\n"
        "assert give_back()\n"
        "print(before - resident() > 20e6, gc.get_freeze_count() > 0)"
    )
    assert printed(code) == "True True"


def test_one_heap_serves_all_threads() -> None:
    code = (
        "import ctypes, threading\n"
        "from aipower.daemon.memory import share_heap\n"
        "share_heap()\n"
        "take = lambda: [ctypes.create_string_buffer(3000) for _ in range(50)]\n"
        "for _ in range(8):\n"
        "    thread = threading.Thread(target=take); thread.start(); thread.join()\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.malloc_stats()"
    )
    words = [sys.executable, "-c", code]
    told = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=True).stderr
    assert "Arena 0:" in told
    assert "Arena 1:" not in told


def test_a_libc_without_the_call_is_no_harm() -> None:
    code = "from aipower.daemon.memory import _call; print(_call('no_such_function', 1))"
    assert printed(code) == "False"
