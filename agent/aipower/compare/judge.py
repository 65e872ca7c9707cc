"""The verdict, and its words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aipower.compare.model import Difference, Merit, Verdict
from aipower.compare.quantities import amount, percents, range_percent, range_unit, signed

REPEAT = "repeat both with aipower-run -r 5"


def verdict_of(found: Difference | None, obstacles: Sequence[str], at_least_percent: float) -> Verdict:
    """What may be said; a difference within `at_least_percent` is none.

    The threshold is of the ratio, so that it is the same both ways round: a half and the double are as far from 1.
    """
    if found is None or obstacles:
        return "not comparable"
    if found.p is None or found.interval_percent is None:
        return "not repeated"
    low, high = (_log(end) for end in found.interval_percent)
    threshold = -math.log1p(-at_least_percent / 100)
    if threshold > 0 and -threshold <= low and high <= threshold:
        return "same"
    if high < -threshold:
        return "less"
    return "more" if low > threshold else "no difference shown"


def _log(percent: float) -> float:
    """The logarithm of the ratio that is `percent` more."""
    return math.log1p(percent / 100) if percent > -100 else -math.inf  # noqa: PLR2004 - all of it


def sentence_of(
    verdict: Verdict,
    found: Difference | None,
    names: tuple[str, str],
    *,
    what: str,
    obstacles: Sequence[str],
    at_least_percent: float,
    merits: Sequence[Merit],
) -> str:
    """The verdict for a person; `names` are the baseline's and the other's, `what` the quantity's."""
    if found is None or verdict == "not comparable":
        why = "; ".join(obstacles) or f"{what} was not measured on both sides, or is 0"
        return f"{names[1]} cannot be compared with {names[0]}: {why}"
    if verdict == "not repeated":
        return _once(found, names, what)
    return _claim(verdict, found, names, what, at_least_percent) + _cost(verdict, merits)


def _claim(verdict: Verdict, found: Difference, names: tuple[str, str], what: str, at_least_percent: float) -> str:
    base, other = names
    shown = _shown(found)
    limit = f"{at_least_percent:g} %"
    if verdict in {"less", "more"}:
        extent = f" by at least {limit}" if at_least_percent else ""
        return f"{other} uses {verdict} {what} than {base}{extent}: {shown}, {_absolute(found)}"
    if verdict == "same":
        return f"{other} uses the same {what} as {base} within {limit}: {shown}"
    extent = f" of at least {limit}" if at_least_percent else ""
    return f"no difference{extent} in {what} is shown between {other} and {base}: {shown}{_could(found)}"


def _shown(found: Difference) -> str:
    return f"{percents(found)} {range_percent(found)}"


def _absolute(found: Difference) -> str:
    return f"{signed(found.change, found.unit)} {range_unit(found)}"


def _could(found: Difference) -> str:
    if found.detectable_percent is None:
        return ""
    return f"; {found.detectable_percent:.2g} % would most likely have shown"


def _once(found: Difference, names: tuple[str, str], what: str) -> str:
    low, high = found.interval_percent or (0.0, 0.0)
    beyond = low > 0 or high < 0
    which = "differs by more than" if beyond else "does not differ by more than"
    also = "but " if beyond else "and "
    return (
        f"the {what} of {names[1]} {which} the error of measurement from that of {names[0]} ({_shown(found)}), "
        f"{also}one run each says nothing of how runs vary: {REPEAT}"
    )


def _cost(verdict: Verdict, merits: Sequence[Merit]) -> str:
    """What has become worse."""
    worse = [merit for merit in merits if merit.worse]
    if not worse:
        return ""
    joint = ", but " if verdict in {"less", "same", "no difference shown"} else ", and "
    return joint + " and ".join(f"{m.name} is worse: {amount(m.baseline)} -> {amount(m.other)}" for m in worse)
