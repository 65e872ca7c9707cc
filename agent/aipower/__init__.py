"""aipower: the power meter for AI jobs.

For a script or a notebook: `aipower.phase`, `aipower.step`, `aipower.log`, `aipower.metric` and `aipower.measure`.
They are imported when they are first used, as the commands need none of them; `__init__.pyi` declares them.
"""

__version__ = "0.1.0"

_HOMES = {
    "phase": "aipower.phases",
    "step": "aipower.phases",
    "log": "aipower.phases",
    "metric": "aipower.phases",
    "measure": "aipower.measuring",
    "Measure": "aipower.measuring",
}
"""Where each public name is defined."""

__all__ = ["Measure", "__version__", "log", "measure", "metric", "phase", "step"]


def __getattr__(name: str) -> object:
    """The public `name`, imported now and kept for the next time.

    Raises:
        AttributeError: There is no such name.
    """
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=None)
    import sys  # noqa: PLC0415 - not needed by those who want only the version

    __import__(home)
    value = getattr(sys.modules[home], name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
