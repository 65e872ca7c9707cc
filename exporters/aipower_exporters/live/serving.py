"""How a file becomes a resource."""

from __future__ import annotations

import hashlib

from aipower.site.resource import Answer, Question, Resource
from aipower_exporters.live.files import File

TAG_LETTERS = 20
ASK_AGAIN = {"cache-control": "no-cache"}
"""A browser may keep a file, but asks each time whether it is still the newest: an agent may have been upgraded."""


def resource(file: File) -> Resource:
    """Serves `file`; its entity tag is the hash of its content."""
    tag = hashlib.sha256(file.content).hexdigest()[:TAG_LETTERS]
    answer = Answer(body=file.content, content_type=file.content_type, headers=ASK_AGAIN)

    def same(question: Question) -> Answer:
        del question
        return answer

    def version(question: Question) -> str:
        del question
        return tag

    return Resource(path=file.path, answer=same, version=version)
