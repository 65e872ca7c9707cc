"""Starts processes at a steady rate, each of which works a little and ends; then waits to be told to end.

Arguments: how many in a second, for how many seconds. Prints JSON: all pids, its own first, and all CPU seconds.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time

WORK_S = 0.002


def work() -> None:
    until_s = time.thread_time() + WORK_S
    while time.thread_time() < until_s:
        pass


def fork_one() -> int:
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid


def main(rate: float, seconds: float) -> None:
    pids = [os.getpid()]
    began_s = time.monotonic()
    while (passed_s := time.monotonic() - began_s) < seconds:
        while len(pids) <= passed_s * rate:
            pids.append(fork_one())
            os.waitpid(pids[-1], 0)
        time.sleep(1 / rate)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"pids": pids, "cpu_s": sum(each.ru_utime + each.ru_stime for each in used)}), flush=True)
    sys.stdin.read()


main(float(sys.argv[1]), float(sys.argv[2]))
