"""Presents a snapshot in the Prometheus text format 0.0.4 or as OpenMetrics 1.0, as the scraper asks.

The lines are written here and not by `prometheus_client`, whose encoders look at every label name of every
sample with regular expressions: for 1200 series they take four times as long, over the budget of a scrape.
The tests hold what its parsers read here equal to what they read from its own encoders.
What stands before the value in a line is kept from page to page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from aipower.model import Snapshot
from aipower_exporters.beginnings import Beginnings, beginnings
from aipower_exporters.lines import Line, Lines, Values, line_of
from aipower_exporters.metrics import Metric
from aipower_exporters.samples import Series, samples

OPENMETRICS = "application/openmetrics-text"
TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = f"{OPENMETRICS}; version=1.0.0; charset=utf-8; escaping=underscores"
"""As `prometheus_client` has them; to import it for two words takes 0.8 MB."""


class PrometheusExporter(Struct, frozen=True):
    """Renders `/metrics`. Any thread may call it."""

    path: str = "/metrics"
    created: bool = True
    """Whether OpenMetrics pages say when each counter began."""
    lines: Lines = field(default_factory=Lines)
    """What it keeps between calls: the text of series."""

    def configured(self, settings: Mapping[str, object]) -> PrometheusExporter:
        """As the agent's settings have it."""
        return replace(self, created=settings.get("created_timestamps") != "off")

    def render(self, snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
        """The body and its content type: OpenMetrics where `accept` prefers it, else text 0.0.4."""
        openmetrics = _prefers_openmetrics(accept)
        head = _openmetrics_head if openmetrics else text_head
        lines: list[str] = []
        began = beginnings(snapshot) if openmetrics and self.created else {}
        for metric, values in self.lines.table(samples(snapshot)).items():
            if values:
                lines.append(head(metric))
                lines.extend(_lines(values, began.get(metric)))
        lines.append("# EOF\n" if openmetrics else "")
        return "".join(lines).encode(), OPENMETRICS_TYPE if openmetrics else TEXT_TYPE


def text_head(metric: Metric) -> str:
    """The lines before the samples of a metric in the format 0.0.4."""
    kind = "gauge" if metric.type == "info" else metric.type
    return f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {kind}\n"


def _openmetrics_head(metric: Metric) -> str:
    family = metric.name.removesuffix("_total").removesuffix("_info")
    unit = f"# UNIT {family} {metric.unit}\n" if metric.unit else ""
    return f"# HELP {family} {metric.help}\n# TYPE {family} {metric.type}\n{unit}"


def _lines(values: Values, began: Beginnings | None) -> Iterable[str]:
    """The samples; with `began`, which has what is known of a counter's beginnings, those after each one."""
    if began is None:
        return [f"{line.text}{_number(value)}\n" for line, value in values.items()]
    return [_with_beginning(line, value, began.of(line.labels)) for line, value in values.items()]


def _with_beginning(line: Line, value: float, at_unix_s: float | None) -> str:
    sample = f"{line.text}{_number(value)}\n"
    return sample if at_unix_s is None else f"{sample}{line.created}{_number(at_unix_s)}\n"


def sample_lines(metric: Metric, series: Series) -> Iterator[str]:
    """The samples of series that nobody shows again soon: nothing of them is kept."""
    for labels, value in series.items():
        yield f"{line_of(metric, labels).text}{_number(value)}\n"


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else f"{value:+}".title()


def _prefers_openmetrics(accept: str) -> bool:
    """True where the `q` of OpenMetrics is not below that of plain text."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        media, _, parameters = part.partition(";")
        name = media.strip().lower()
        weights[name] = max(weights.get(name, 0.0), _weight(parameters.split(";")))
    plain = max(weights.get("text/plain", 0.0), weights.get("*/*", 0.0))
    wanted = weights.get(OPENMETRICS, 0.0)
    return wanted > 0 and wanted >= plain


def _weight(parameters: Sequence[str]) -> float:
    """The `q` of a media range, 1 without one, 0 where it is no number."""
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
