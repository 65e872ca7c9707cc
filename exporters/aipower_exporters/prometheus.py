"""Presents a snapshot in the Prometheus text format 0.0.4 or as OpenMetrics 1.0, as the scraper asks.

The lines are written here and not by `prometheus_client`, whose encoders look at every label name of every
sample with regular expressions: for 1200 series they take four times as long, over the budget of a scrape.
The tests hold what its parsers read here equal to what they read from its own encoders.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from prometheus_client.exposition import choose_encoder

from aipower.model import Snapshot
from aipower_exporters.beginnings import Beginnings, beginnings
from aipower_exporters.metrics import Metric
from aipower_exporters.samples import Series, collect

OPENMETRICS = "application/openmetrics-text"


class PrometheusExporter(Struct, frozen=True):
    """Renders `/metrics`. It keeps nothing between calls, so any thread may call it."""

    path: str = "/metrics"
    created: bool = True
    """Whether OpenMetrics pages say when each counter began."""

    def configured(self, settings: Mapping[str, object]) -> PrometheusExporter:
        """As the agent's settings have it."""
        return replace(self, created=settings.get("created_timestamps") != "off")

    def render(self, snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
        """The body and its content type: OpenMetrics where `accept` prefers it, else text 0.0.4."""
        openmetrics = _prefers_openmetrics(accept)
        # Never the client's own words: choose_encoder fails on "version=x" and does not weigh q.
        _, content_type = choose_encoder(f"{OPENMETRICS}; version=1.0.0" if openmetrics else "text/plain")
        head = _openmetrics_head if openmetrics else text_head
        lines: list[str] = []
        began = beginnings(snapshot) if openmetrics and self.created else {}
        for metric, series in collect(snapshot).items():
            lines.append(head(metric))
            lines.extend(sample_lines(metric, series, began.get(metric)))
        lines.append("# EOF\n" if openmetrics else "")
        return "".join(lines).encode(), content_type


def text_head(metric: Metric) -> str:
    """The lines before the samples of a metric in the format 0.0.4."""
    kind = "gauge" if metric.type == "info" else metric.type
    return f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {kind}\n"


def _openmetrics_head(metric: Metric) -> str:
    family = metric.name.removesuffix("_total").removesuffix("_info")
    unit = f"# UNIT {family} {metric.unit}\n" if metric.unit else ""
    return f"# HELP {family} {metric.help}\n# TYPE {family} {metric.type}\n{unit}"


def sample_lines(metric: Metric, series: Series, began: Beginnings | None = None) -> Iterator[str]:
    """The samples; with `began`, which has what is known of a counter's beginnings, those after each one."""
    template = _template(metric.name, metric)
    created = _template(f"{metric.name.removesuffix('_total')}_created", metric)
    for labels, value in series.items():
        # Hardly a value needs an escape: one look at all together is cheaper than one at each.
        together = "".join(labels)
        plain = '"' not in together and "\\" not in together
        shown = labels if plain else tuple(map(_escape, labels))
        yield template.format(*shown, _number(value))
        if began is not None and (at_unix_s := began.of(labels)) is not None:
            yield created.format(*shown, _number(at_unix_s))


def _template(name: str, metric: Metric) -> str:
    """A format string of the label values, in the table's order, and the value; it writes labels by name."""
    places = sorted((label, place) for place, label in enumerate(metric.labels))
    labels = ",".join(f'{label}="{{{place}}}"' for label, place in places)
    braced = f"{{{{{labels}}}}}" if labels else ""
    return f"{name}{braced} {{{len(places)}}}\n"


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else f"{value:+}".title()


def _escape(value: str) -> str:
    """A label value as it stands between quotes; line ends are gone since the sample was made."""
    return value.replace("\\", r"\\").replace('"', r"\"")


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
