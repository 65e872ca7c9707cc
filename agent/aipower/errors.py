"""Errors that aipower raises on purpose, each with the remedy a person needs."""

from __future__ import annotations


class AipowerError(Exception):
    """A mistake or a circumstance that ends the command with one line and `exit_code`."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(AipowerError):
    """The command line or the configuration is wrong; exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=2)


class SensorError(Exception):
    """A sensor could not be read; `reason` is a short stable word, the message is for people."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class SensorUnavailableError(SensorError):
    """Not usable at discovery; `remedy` is what a person can do about it."""

    def __init__(self, reason: str, message: str, remedy: str) -> None:
        super().__init__(reason, message)
        self.remedy = remedy


class SensorFailedError(SensorError):
    """This read failed; the next one may work."""


class SensorGoneError(SensorError):
    """The device has left (off the bus, driver unloaded); look for it again later."""
