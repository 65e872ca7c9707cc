"""Prometheus' Pushgateway, for nodes that cannot be scraped."""

from __future__ import annotations

import base64
import socket
from collections.abc import Mapping
from urllib.parse import quote

from msgspec.structs import replace

from aipower.errors import UsageError
from aipower.model import Snapshot
from aipower_exporters.metrics import METRICS, Metric
from aipower_exporters.prometheus import sample_lines, text_head
from aipower_exporters.samples import collect
from aipower_exporters.sinks.http import OPTION_KEYS, Endpoint, endpoint
from aipower_exporters.sinks.options import Options

EXAMPLE = "http://push.example.org:9091"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
GROUPED = "job"
"""The key that every group has. The gateway would put the group's value over our label of that name, so that all
jobs of the node became one."""
RENAMED = "exported_job"
"""What Prometheus itself makes of a label that its target has too."""


class PushgatewaySink:
    """Puts the page in the place of the one that the node has pushed before."""

    def __init__(self, target: Endpoint, *, delete: bool = False) -> None:
        """`target` is the address of the node's group; with `delete` it leaves with the agent."""
        self._target = target
        self._delete = delete
        self._pushed = False

    def push(self, snapshot: Snapshot) -> None:
        """Put the page there.

        Raises:
            SinkError: Nobody answers in time, or not with a success.
        """
        self._target.send("PUT", page_of(snapshot), {"Content-Type": TEXT})
        self._pushed = True

    def close(self) -> None:
        """Delete the group, if that is wanted.

        Raises:
            SinkError: Nobody answers in time, or not with a success.
        """
        if self._delete and self._pushed:
            self._target.send("DELETE", b"", {})


def pushgateway(options: Mapping[str, object], _name: str) -> PushgatewaySink:
    """The sink of the kind `pushgateway`.

    Raises:
        UsageError: An option is wrong.
    """
    checked = Options.of(options, ("url", "job", "instance", "grouping", "delete", *OPTION_KEYS))
    url = checked.url("url", EXAMPLE)
    if "?" in url:
        raise UsageError(f"url: expected an address as in {EXAMPLE}")
    groups = {"job": checked.text("job", "aipower"), "instance": checked.text("instance", socket.gethostname())}
    if not groups["job"]:
        raise UsageError("job: expected a name")
    target = endpoint(checked, url.rstrip("/") + group_path({**groups, **_more_groups(checked)}))
    return PushgatewaySink(target, delete=checked.flag("delete", default=False))


def _more_groups(options: Options) -> Mapping[str, str]:
    groups = options.texts("grouping")
    taken = {"job", "instance", RENAMED, *(label for metric in METRICS for label in metric.labels)}
    for name in groups:
        if name in taken or not name.isidentifier() or not name.isascii() or name.startswith("__"):
            raise UsageError(f'grouping: expected names of labels that no metric has, not "{name}"')
    return groups


def group_path(groups: Mapping[str, str]) -> str:
    """The part of the address that names a group; values with a slash, or without a character, go as base64."""
    return "/metrics" + "".join(f"/{_pair(name, value)}" for name, value in groups.items())


def _pair(name: str, value: str) -> str:
    if value and "/" not in value:
        return f"{name}/{quote(value, safe='')}"
    coded = base64.urlsafe_b64encode(value.encode()).decode().rstrip("=") or "="
    return f"{name}@base64/{coded}"


def page_of(snapshot: Snapshot) -> bytes:
    """The page of /metrics in the text format 0.0.4, with `job` under the name that a scrape gives it."""
    parts: list[str] = []
    for metric, series in collect(snapshot).items():
        parts.append(text_head(metric))
        parts.extend(sample_lines(_renamed(metric), series))
    return "".join(parts).encode()


def _renamed(metric: Metric) -> Metric:
    if GROUPED not in metric.labels:
        return metric
    return replace(metric, labels=tuple(RENAMED if label == GROUPED else label for label in metric.labels))
