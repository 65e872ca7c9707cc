"""Which sensors are wanted: the value of `--sensors` and of the setting `sensors`."""

from __future__ import annotations

from msgspec import Struct

from aipower.errors import UsageError

REAL = ("nvml", "rapl")
MAX_FAKE_GPUS = 64
DEFAULT_FAKE_GPUS = 2


class Selection(Struct, frozen=True):
    """Which sensors are wanted."""

    real: tuple[str, ...] = REAL
    required: bool = False
    """True where a sensor was named: it is then an error if it is missing."""
    fake_gpus: int = 0
    """More than 0 for the simulated machine."""


def parse_selection(text: str) -> Selection:
    """The selection that `text` means: `auto`, `fake`, `fake:8`, or names such as `nvml,rapl`.

    Raises:
        UsageError: It means nothing.
    """
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    if names == ("auto",):
        return Selection()
    if len(names) == 1 and names[0].partition(":")[0] == "fake":
        return Selection((), fake_gpus=_fake_gpus(names[0]))
    unknown = [name for name in names if name not in REAL]
    if unknown or not names:
        what = f'unknown sensor "{unknown[0]}"{_suggestion(unknown[0])}' if unknown else "no sensor named"
        raise UsageError(f"--sensors: {what}; expected auto, fake, fake:N, or a list of {', '.join(REAL)}")
    return Selection(names, required=True)


def _suggestion(name: str) -> str:
    import difflib  # noqa: PLC0415 - only for a mistake

    near = difflib.get_close_matches(name, (*REAL, "auto", "fake"), n=1)
    return f', did you mean "{near[0]}"?' if near else ""


def _fake_gpus(name: str) -> int:
    _, colon, count = name.partition(":")
    if not colon:
        return DEFAULT_FAKE_GPUS
    if count.isascii() and count.isdigit() and 1 <= int(count) <= MAX_FAKE_GPUS:
        return int(count)
    raise UsageError(f'--sensors: "{name}" is not fake:N with N from 1 to {MAX_FAKE_GPUS}')
