"""What one message costs the process that hears it: `python -m benchmarks.phases.messages`."""

from __future__ import annotations

import sys
import time

from aipower.record.phases.lines import Lines
from aipower.record.phases.marks import Marks

MESSAGES = 200_000
CHUNK = 1 << 16


def main() -> int:
    """The exit code."""
    told = b"".join(
        b"B %d 4242 %d 0 train_step\nE %d 4242 %d\n" % (10**12 + i * 20_000, i, 10**12 + i * 20_000 + 10_000, i)
        for i in range(1, MESSAGES // 2 + 1)
    )
    marks = Marks()
    marks.start(1000.0)
    for name, feed in (("read", Lines().feed), ("read and kept", marks.feed)):
        began_s = time.process_time()
        for at in range(0, len(told), CHUNK):
            feed(told[at : at + CHUNK])
        print(f"{name}: {(time.process_time() - began_s) / MESSAGES * 1e6:.1f} us a message")
    return 0


if __name__ == "__main__":
    sys.exit(main())
