"""Pages of the agents as Prometheus would store them: with the labels of the target and the time of the scrape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from aipower.model import Snapshot
from aipower_exporters.prometheus import PrometheusExporter

JOB = "aipower"
_JOB_LABEL = re.compile(r'[{,]job="')


@dataclass(frozen=True, slots=True)
class Page:
    """What one scrape gave."""

    at_unix_s: float
    text: str
    """Lines of OpenMetrics with their time, without an end."""


@dataclass(frozen=True, slots=True)
class Target:
    """One agent as a target, scraped with `honor_labels: true`: a `job` of the page's own stays, an empty one too."""

    instance: str
    _names: dict[str, str] = field(default_factory=dict)
    """The series as stored, by the series as written."""

    def scraped(self, snapshot: Snapshot, *, faults: bool) -> Page:
        """The page of `snapshot`; without `faults` it lacks the many counts that hardly ever change."""
        body, _ = PrometheusExporter().render(snapshot, "")
        at = f"{snapshot.at_unix_s:.0f}"
        lines = [reached(self.instance, snapshot.at_unix_s, up=True)]
        for line in body.decode().splitlines():
            if line.startswith("#") or (not faults and line.startswith("aipower_agent_faults_total")):
                continue
            series, _, value = line.rpartition(" ")
            lines.append(f"{self._stored(series)} {value} {at}")
        return Page(snapshot.at_unix_s, "\n".join(lines))

    def missed(self, at_unix_s: float) -> Page:
        """A scrape that found nobody."""
        return Page(at_unix_s, reached(self.instance, at_unix_s, up=False))

    def _stored(self, series: str) -> str:
        name = self._names.get(series)
        if name is None:
            target = f'instance="{self.instance}"' + ("" if _JOB_LABEL.search(series) else f',job="{JOB}"')
            bare = series.removesuffix("}")
            name = f"{bare}{'{' if bare == series else ','}{target}}}"
            self._names[series] = name
        return name


def sample(name: str, labels: Mapping[str, str], value: float, at_unix_s: float) -> str:
    """One line of a series that is not from an agent."""
    inside = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value!r} {at_unix_s:.0f}"


def reached(instance: str, at_unix_s: float, *, up: bool) -> str:
    """What Prometheus itself notes of a scrape."""
    return sample("up", {"instance": instance, "job": JOB}, float(up), at_unix_s)


def documents(pages: Iterable[Page], span_s: float) -> Iterator[str]:
    """The pages as OpenMetrics, one document for each `span_s` of time."""
    spans: dict[float, list[str]] = {}
    for page in pages:
        spans.setdefault(page.at_unix_s // span_s, []).append(page.text)
    for texts in spans.values():
        yield "\n".join((*texts, "# EOF", ""))
