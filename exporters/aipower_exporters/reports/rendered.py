"""What was rendered of records, kept for those who ask again."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from aipower.runrecord import RunRecord

MOST, MOST_BYTES = 8, 4 * 2**20


class Rendered:
    """Renders each record once while it is among the last ones, and one at a time: it takes time from the sampler.

    Args:
        render: What makes bytes of a record, and the same of the same.
    """

    def __init__(self, render: Callable[[RunRecord], bytes]) -> None:
        self._render = render
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    def of(self, record: RunRecord) -> bytes:
        """As `render` has it."""
        digest = hashlib.sha256(msgspec.json.encode(record)).digest()
        with self._lock:
            found = self._kept.pop(digest, None) or self._render(record)
            self._kept[digest] = found
            self._drop()
            return found

    def _drop(self) -> None:
        """Forget the longest unused ones, until what is left may be kept."""
        while len(self._kept) > MOST or sum(map(len, self._kept.values())) > MOST_BYTES:
            self._kept.popitem(last=False)
