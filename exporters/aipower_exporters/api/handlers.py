"""From questions to answers: mistakes become one line, and nothing is answered before the first sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from aipower.errors import UsageError
from aipower.model import Snapshot
from aipower.site.resource import Answer, Question
from aipower_exporters.api import query as asked
from aipower_exporters.api.catalogue import PARAMETERS
from aipower_exporters.api.encoding import answer, refusal

EARLY = "no sample has been taken yet; try again in a moment"
Query = Mapping[str, str]
Handler = Callable[[Question], Answer]


def plain(path: str, body: Callable[[Query], bytes]) -> Handler:
    """Answers at any time."""

    def handle(question: Question) -> Answer:
        try:
            asked.only(question.query, PARAMETERS[path])
            return answer(body(question.query))
        except UsageError as error:
            return refusal(HTTPStatus.BAD_REQUEST, str(error))

    return handle


def sampled(path: str, source: Callable[[], Snapshot | None], body: Callable[[Query, Snapshot], bytes]) -> Handler:
    """Answers once there is a snapshot."""

    def handle(question: Question) -> Answer:
        try:
            asked.only(question.query, PARAMETERS[path])
            snapshot = source()
            if snapshot is None:
                return refusal(HTTPStatus.SERVICE_UNAVAILABLE, EARLY)
            return answer(body(question.query, snapshot))
        except UsageError as error:
            return refusal(HTTPStatus.BAD_REQUEST, str(error))

    return handle
