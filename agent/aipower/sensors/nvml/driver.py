"""The one place where functions of `pynvml` are called: every way they fail becomes a `CallError` with NVML's code."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aipower.sensors.nvml.codes import FUNCTION_NOT_FOUND, INSUFFICIENT_SIZE, UNINITIALIZED, UNKNOWN, CallError

log = logging.getLogger(__name__)

TRIES = 3
"""A list may grow between the call that asks for its size and the call that fetches it."""


class Driver:
    """A session with NVML that its users share, from any threads. `nvml` is the module `pynvml`, or like it.

    Whoever makes calls is a user until they have returned, so that the session never ends under a call that hangs.
    """

    def __init__(self, nvml: Any) -> None:  # noqa: ANN401 - pynvml has no types
        self.nvml = nvml
        self._users = 0
        self._lock = threading.Lock()

    def open(self) -> None:
        """Start the session with its first user, the caller.

        Raises:
            SensorUnavailableError: There is no usable driver; the remedy says what to do.
        """
        try:
            self.call("nvmlInit")
        except CallError as error:
            raise error.as_unavailable("no_driver") from error
        self._users = 1

    def retain(self) -> None:
        """One user more, who will call `release` once."""
        with self._lock:
            self._users += 1

    def release(self) -> None:
        """One user less; the last one ends the session. Without a session it does nothing."""
        with self._lock:
            last, self._users = self._users == 1, max(0, self._users - 1)
        if not last:
            return
        try:
            self.call("nvmlShutdown")
        except CallError as error:
            log.debug("%s", error)

    @contextmanager
    def held(self) -> Iterator[None]:
        """The caller is a user meanwhile.

        Raises:
            SensorUnavailableError: The session has ended.
        """
        with self._lock:
            if self._users == 0:
                raise CallError("nvmlInit", UNINITIALIZED, "the session has ended").as_unavailable("no_session")
            self._users += 1
        try:
            yield
        finally:
            self.release()

    def call(self, function: str, *arguments: Any) -> Any:  # noqa: ANN401 - as pynvml
        """What `function` answers.

        Raises:
            CallError: It failed, is missing in the driver or in pynvml, or answered what pynvml cannot read.
        """
        try:
            return getattr(self.nvml, function)(*arguments)
        except self.nvml.NVMLError as error:
            raise CallError(function, int(error.value), _text(error)) from error
        except AttributeError as error:
            raise CallError(function, FUNCTION_NOT_FOUND, str(error)) from error
        except Exception as error:  # pynvml raises its own bare classes (NVMLLibraryMismatchError) and decoding errors
            code = FUNCTION_NOT_FOUND if type(error).__name__ == "NVMLLibraryMismatchError" else UNKNOWN
            raise CallError(function, code, str(error) or type(error).__name__) from error

    def rows(self, function: str, *arguments: Any) -> Sequence[Any]:  # noqa: ANN401 - as pynvml
        """A list that `function` answers, asked for again if it has grown meanwhile.

        Raises:
            CallError: As `call`.
        """
        for _ in range(TRIES - 1):
            try:
                return tuple(self.call(function, *arguments))
            except CallError as error:
                if error.code != INSUFFICIENT_SIZE:
                    raise
        return tuple(self.call(function, *arguments))

    def words(self, function: str, *arguments: Any) -> str:  # noqa: ANN401 - as pynvml
        """A string that `function` answers; older versions of pynvml answer in bytes.

        Raises:
            CallError: As `call`.
        """
        answer = self.call(function, *arguments)
        return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)

    def text(self, function: str, *arguments: Any) -> str:  # noqa: ANN401 - as pynvml
        """A string that `function` answers, "" where it fails."""
        try:
            return self.words(function, *arguments)
        except CallError as error:
            log.debug("%s", error)
            return ""

    def number(self, function: str, *arguments: Any) -> int | None:  # noqa: ANN401 - as pynvml
        """A number that `function` answers, None where it fails."""
        try:
            return int(self.call(function, *arguments))
        except (CallError, TypeError, ValueError) as error:
            log.debug("%s", error)
            return None


def _text(error: Exception) -> str:
    """NVML's words for an error; asking for them can fail as well."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - pynvml calls into the driver to spell an unknown code
        return "unknown error"
