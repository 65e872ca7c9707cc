"""The reports of runs behind the agent's live page: the HTML page of a record, and the record itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from aipower.runrecord import RunRecord, to_json
from aipower.site.resource import Answer, Question, Resource
from aipower.site.sources import Sources
from aipower_exporters.reports.rendered import Rendered

__all__ = ["reports"]

PAGE, RECORD = "/runs/{run_id}", "/runs/{run_id}/record.json"
UNKEPT = {"cache-control": "no-store"}
"""Command lines stand in it: no browser is to have them on its disk."""
FRAMES = "frame-ancestors 'none'"
"""What a policy in the page itself cannot say (CSP Level 3, section 6.4.2)."""


def reports(sources: Sources) -> Sequence[Resource]:
    """The report of each run that the agent shows, and its record."""
    record = sources.shelf.record
    page = _answering(record, _html, "text/html; charset=utf-8", _page_headers, _absent_page)
    plain = _answering(record, to_json, "application/json", lambda: UNKEPT, _absent_json)
    return (Resource(PAGE, page, slow=True, private=True), Resource(RECORD, plain, slow=True, private=True))


# What makes pages is imported when the first report is asked for: most agents are never asked for one.


def _html(record: RunRecord) -> bytes:
    from aipower_exporters.html import render_html  # noqa: PLC0415 - see above

    return render_html(record)


@cache
def _page_headers() -> Mapping[str, str]:
    from aipower_exporters.html.page import policy  # noqa: PLC0415 - see above

    return {**UNKEPT, "content-security-policy": f"{policy()}; {FRAMES}"}


def _absent_page() -> Answer:
    from aipower_exporters.reports.absent import absent_page  # noqa: PLC0415 - see above

    return absent_page()


def _absent_json() -> Answer:
    from aipower_exporters.reports.absent import absent_json  # noqa: PLC0415 - see above

    return absent_json()


def _answering(
    record_of: Callable[[str], RunRecord | None],
    render: Callable[[RunRecord], bytes],
    content_type: str,
    headers: Callable[[], Mapping[str, str]],
    absent: Callable[[], Answer],
) -> Callable[[Question], Answer]:
    """What answers with records as `render` has them, or says that there is none."""
    rendered = Rendered(render)

    def answer(question: Question) -> Answer:
        record = record_of(question.path["run_id"])
        return absent() if record is None else Answer(rendered.of(record), content_type, headers=headers())

    return answer
