"""Asking resources without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aipower.site.resource import Answer, Question, Resource
from aipower.site.sources import Sources
from aipower_exporters.api import api


@dataclass(frozen=True)
class Client:
    """Asks the API of an agent."""

    resources: Mapping[str, Resource]

    def ask(self, url: str) -> Answer:
        """What comes back, whatever it is."""
        path, _, query = url.partition("?")
        return self.ask_for(path, dict(parse_qsl(query, keep_blank_values=True)))

    def ask_for(self, path: str, query: Mapping[str, str]) -> Answer:
        """What comes back to any query."""
        return self.resources[path].answer(Question(query=query))

    def get(self, url: str) -> Any:
        """The document, which must come."""
        answer = self.ask(url)
        assert answer.status == 200, answer.body
        return read(answer.body)

    def refused(self, url: str, status: int = 400) -> str:
        """What a mistake is answered with, one line."""
        answer = self.ask(url)
        assert answer.status == status, answer.body
        document = read(answer.body)
        assert document.keys() == {"error"}
        assert "\n" not in document["error"]
        return str(document["error"])

    def version(self, path: str) -> str:
        version = self.resources[path].version
        assert version is not None
        return version(Question())


def client(sources: Sources) -> Client:
    """A client of a new API."""
    return Client({resource.path: resource for resource in api(sources)})


def read(body: bytes) -> Any:
    """JSON as everybody understands it: UTF-8, no NaN."""
    return json.loads(body.decode(), parse_constant=_refuse)


def _refuse(word: str) -> float:
    raise AssertionError(f"{word} is no JSON")
