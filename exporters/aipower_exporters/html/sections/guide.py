"""How to read the page: what the words mean, and what an interval is."""

from __future__ import annotations

from aipower_exporters.html.markup import Html, tag
from aipower_exporters.html.sections.section import section

INTERVAL = (
    "The 95 % interval: in 95 of 100 cases the true energy lies in it. It holds the sensor's scale, the edges of the "
    "run, what sensors do not look at, and sampled busy time. The error bars are these intervals. To compare two "
    "runs, use aipower compare: intervals that overlap do not decide it."
)
WORDS = (
    ("[low .. high]", INTERVAL),
    ("comparable within", "The same without the sensor's scale, which repeats: to compare runs on the same devices."),
    ("energy counter", "The difference of the hardware's energy counter."),
    ("integrated power", "Power readings summed over time, where there is no counter or it stands still."),
    ("model, estimated", "No measurement: it stands beside the total, never in it."),
    ("this run", "What the run's own processes used, including what their open contexts on a GPU add."),
    ("idle", "What the bare device draws. It is an account of its own, charged to nobody."),
    ("other processes", "What processes that do not belong to the run used on the same devices."),
    ("unattributed", "What cannot be assigned to anybody. It is never spread, and never lost."),
    ("together", "Processes that nothing tells apart: their sum is sure, each part is not."),
    ("not known", "It was not measured. That is not zero."),
)


def guide() -> Html:
    """The same on every page, so that a page explains itself wherever it is sent."""
    items = [tag("div", tag("dt", word), tag("dd", meaning)) for word, meaning in WORDS]
    lead = "Run, idle, other processes and unattributed sum exactly to what the device drew."
    return section("guide", "How to read this", tag("dl", *items, class_="words"), lead=lead)
