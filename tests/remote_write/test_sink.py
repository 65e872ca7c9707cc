"""What the sink sends, and what it makes of the answers."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import cramjam
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.errors import UsageError
from aipower.model import Snapshot
from aipower.sinks import Sink, SinkError
from aipower_exporters.remote_write import wire
from aipower_exporters.remote_write.delivery import Delivery, Request, _rest_s
from aipower_exporters.remote_write.series import Labeller
from aipower_exporters.remote_write.sink import RemoteWriteSink, remote_write
from aipower_exporters.samples import collect
from aipower_exporters.sinks.http import Answer, Endpoint
from exporters.snapshots import SNAPSHOTS, node
from remote_write.nodes import busy, full
from remote_write.protos import write_request
from remote_write.receiver import Said, receiver

MARKED = (wire.STALE,)


def made(url: str, **options: object) -> Sink:
    return remote_write({"url": f"{url}/api/v1/write", **options}, "far")


def sent(body: bytes) -> dict[tuple[tuple[str, str], ...], float]:
    """The series of a request; none is twice in it."""
    read = write_request(bytes(cramjam.snappy.decompress_raw(body))).timeseries
    series = {tuple((label.name, label.value) for label in one.labels): one.samples[0].value for one in read}
    assert len(series) == len(read)
    return series


def page(snapshot: Snapshot, external: Mapping[str, str]) -> dict[tuple[tuple[str, str], ...], float]:
    """What a scrape of the page would find with `honor_labels`."""
    found = {}
    for metric, series in collect(snapshot).items():
        for values, number in series.items():
            own = dict(zip(metric.labels, values, strict=True))
            named = {**external, **own, "__name__": metric.name}
            found[tuple(sorted((name, value) for name, value in named.items() if value))] = number
    return found


def refused(sink: Sink, snapshot: Snapshot | None = None) -> SinkError:
    with pytest.raises(SinkError) as caught:
        sink.push(snapshot or node())
    return caught.value


def names(body: bytes, name: str) -> list[dict[str, str]]:
    return [found for labels in sent(body) if (found := dict(labels))["__name__"] == name]


def test_all_series_of_the_page_are_sent_with_the_labels_from_outside() -> None:
    external = {"job": "aipower", "instance": "node-7", "cluster": "a"}
    with receiver() as far:
        made(far.url, labels=external).push(busy())
    assert sent(far.bodies[0]) == page(busy(), external)
    assert far.paths == ["/api/v1/write"]
    headers = far.headers[0]
    assert headers["content-encoding"] == "snappy"
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["x-prometheus-remote-write-version"] == "0.1.0"
    assert headers["user-agent"] == "aipower/0.1.0"


def test_a_label_of_the_metric_stands_before_one_from_outside() -> None:
    with receiver() as far:
        made(far.url, labels={"instance": "node-7"}).push(busy())
    energies = names(far.bodies[0], "aipower_job_energy_joules_total")
    assert {found.get("job") for found in energies if found["system"] == "slurm"} == {"1234"}
    assert {found.get("job") for found in energies if found["system"] == "none"} == {None}
    assert names(far.bodies[0], "aipower_build_info")[0]["job"] == "aipower"


@given(SNAPSHOTS)
@settings(max_examples=25)
def test_any_snapshot_is_sent_as_it_is_on_the_page(snapshot: Snapshot) -> None:
    kept: list[bytes] = []

    class Kept(Delivery):
        def send(self, requests: Any, headers: Mapping[str, str], *, most_s: float | None = None) -> None:
            del headers, most_s
            for request in requests:
                kept.append(request.body)
                request.arrived(Answer(200, {}, b""))

    external = {"instance": "x"}
    sink = RemoteWriteSink(
        Kept(Endpoint("", 1.0)), Labeller(external), lambda body: bytes(cramjam.snappy.compress_raw(body))
    )
    sink.push(snapshot)
    found = {labels: number for body in kept for labels, number in sent(body).items()}
    expected = page(snapshot, external)
    assert found.keys() == expected.keys()
    assert all(wire.value(found[labels]) == wire.value(expected[labels]) for labels in expected)
    for labels in found:
        assert list(labels) == sorted(labels)


def test_a_series_that_left_is_ended_once() -> None:
    less = replace(busy(1_790_000_015.0), processes=busy().processes[1:])
    with receiver() as far:
        sink = made(far.url)
        for snapshot in (busy(), less, less):
            sink.push(snapshot)
    raw = [write_request(bytes(cramjam.snappy.decompress_raw(body))).timeseries for body in far.bodies]
    ended = [[one for one in read if wire.value(one.samples[0].value) in MARKED] for read in raw]
    assert [len(found) for found in ended] == [0, 3, 0]
    labels = [{label.name: label.value for label in one.labels} for one in ended[1]]
    assert {found["pid"] for found in labels} == {"4242"}
    assert {one.samples[0].timestamp for one in ended[1]} == {1_790_000_015_000}


def test_what_never_arrived_is_not_ended() -> None:
    with receiver(Said(500), Said(), Said()) as far:
        sink = made(far.url)
        assert refused(sink, busy()).reason == "failed"
        sink.push(replace(busy(1_790_000_015.0), processes=()))
    assert wire.STALE not in bytes(cramjam.snappy.decompress_raw(far.bodies[1]))


def test_closing_ends_all_series_that_are_there() -> None:
    with receiver() as far:
        sink = made(far.url)
        sink.push(busy(1.0))
        sink.close()
    first, last = (write_request(bytes(cramjam.snappy.decompress_raw(body))).timeseries for body in far.bodies)
    assert len(last) == len(first)
    assert {wire.value(one.samples[0].value) for one in last} == {wire.STALE}
    assert min(one.samples[0].timestamp for one in last) >= (time.time() - 60) * 1000


def test_closing_does_not_bother_a_receiver_that_fails() -> None:
    with receiver(Said(503)) as far:
        sink = made(far.url)
        refused(sink)
        sink.close()
    assert len(far.bodies) == 1


def test_closing_ends_what_was_taken_where_some_was_rejected() -> None:
    with receiver(Said(400)) as far:
        sink = made(far.url, max_series=20)
        refused(sink)
        taken = len(far.bodies)
        sink.close()
    ended = {labels for body in far.bodies[taken:] for labels in sent(body)}
    assert ended == {labels for body in far.bodies[1:taken] for labels in sent(body)}


def test_closing_a_sink_whose_receiver_has_gone_is_no_error() -> None:
    with receiver() as far:
        sink = made(far.url)
        sink.push(node())
    sink.close()


def test_a_large_page_goes_in_several_requests() -> None:
    with receiver() as far:
        made(far.url, max_series=300, labels={"instance": "x"}).push(full(2, 64))
    parts = [sent(body) for body in far.bodies]
    assert len(parts) > 2
    assert all(len(part) == 300 for part in parts[:-1])
    together = {labels: number for part in parts for labels, number in part.items()}
    assert together == page(full(2, 64), {"job": "aipower", "instance": "x"})
    assert len(together) == sum(map(len, parts))


def test_what_is_rejected_does_not_keep_the_rest_from_the_receiver() -> None:
    with receiver(Said(400, body=b"out of order sample\nmore")) as far:
        error = refused(made(far.url, max_series=20))
    assert error.reason == "rejected"
    assert str(error).endswith("answers 400: out of order sample")
    assert len(far.bodies) > 2


def test_a_receiver_that_fails_is_not_sent_the_rest() -> None:
    with receiver(Said(500)) as far:
        assert refused(made(far.url, max_series=20)).reason == "failed"
    assert len(far.bodies) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "rejected"),
        (404, "rejected"),
        (413, "rejected"),
        (301, "rejected"),
        (401, "denied"),
        (403, "denied"),
        (429, "throttled"),
        (500, "failed"),
        (502, "refused"),
        (503, "refused"),
        (504, "refused"),
        (507, "full"),
    ],
)
def test_each_status_has_its_reason(status: int, reason: str) -> None:
    with receiver(Said(status)) as far:
        sink = made(far.url)
        assert refused(sink).reason == reason
        sink.push(node())
    assert len(far.bodies) == 2


def rested(endpoint_url: str, clock: list[float]) -> Delivery:
    return Delivery(Endpoint(endpoint_url, 10.0), lambda: clock[0])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_receiver_that_asks_for_a_rest_gets_it(status: int) -> None:
    clock = [1000.0]
    request = Request(b"x", lambda _answer: None)
    with receiver(Said(status, {"Retry-After": "30"})) as far:
        delivery = rested(far.url, clock)
        for at_s in (1000.0, 1029.0):
            clock[0] = at_s
            with pytest.raises(SinkError) as caught:
                delivery.send([request], {})
            assert caught.value.reason == "throttled"
        assert "for 1 s more" in str(caught.value)
        clock[0] = 1030.5
        delivery.send([request], {})
    assert len(far.bodies) == 2


@pytest.mark.parametrize(
    ("asked", "low_s", "high_s"),
    [
        (timedelta(seconds=200), 100.0, 201.0),
        (timedelta(seconds=-200), 0.0, 0.0),
        ("9" * 5000, 3600.0, 3600.0),
        ("Sat, 28 Nov 9999 17:00:00", 3600.0, 3600.0),
        ("-5", 0.0, 0.0),
        ("soon", 0.0, 0.0),
        ("\u0663", 0.0, 0.0),
    ],
    ids=["in a while", "a while ago", "endless", "far ahead", "negative", "words", "foreign digit"],
)
def test_a_rest_may_be_a_date_and_is_never_endless(asked: str | timedelta, low_s: float, high_s: float) -> None:
    clock = [0.0]
    if isinstance(asked, timedelta):
        asked = format_datetime(datetime.now(UTC) + asked, usegmt=True)
    with receiver(Said(503, {"Retry-After": asked.encode().decode("latin-1")})) as far:
        delivery = rested(far.url, clock)
        with pytest.raises(SinkError):
            delivery.send([Request(b"", lambda _answer: None)], {})
        assert low_s <= delivery._rest_until_s <= high_s


@given(st.text() | st.from_regex(r"\A\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [+-]?\d+\Z"))
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
def test_whatever_is_asked_for_is_a_rest_or_none(asked: str) -> None:
    assert 0.0 <= _rest_s(Answer(503, {"retry-after": asked}, b""), datetime.now(UTC)) <= 3600.0


def test_without_its_library_the_kind_says_what_to_install() -> None:
    program = """if True:
        import sys
        from aipower.errors import UsageError
        from aipower_exporters.remote_write.sink import remote_write
        assert "cramjam" not in sys.modules
        sys.modules["cramjam"] = None
        try:
            remote_write({"url": "http://127.0.0.1:1"}, "far")
        except UsageError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == 'kind: remote_write needs cramjam; pip install "aipower[remote-write]"\n'


def test_a_rest_is_not_asked_for_by_a_mistake_of_ours() -> None:
    with receiver(Said(400, {"Retry-After": "30"})) as far:
        sink = made(far.url)
        assert refused(sink).reason == "rejected"
        sink.push(node())


def test_all_requests_of_a_push_share_one_time_limit() -> None:
    with receiver(Said(), Said(hang=True)) as far:
        sink = made(far.url, max_series=20, timeout_s=0.5)
        began_s = time.monotonic()
        assert refused(sink).reason == "timeout"
        assert time.monotonic() - began_s < 30
        assert len(far.bodies) == 2


def test_nobody_there_is_told() -> None:
    with receiver() as far:
        pass
    assert refused(made(far.url)).reason == "refused"


def test_credentials_and_headers_go_along(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    with receiver() as far:
        made(far.url, username="ada", password_file=str(secret)).push(node())
        made(far.url, token_file=str(secret), headers={"X-Scope-OrgID": "team-1"}).push(node())
    assert far.headers[0]["authorization"] == "Basic YWRhOnMzY3JldA=="
    assert far.headers[1]["authorization"] == "Bearer s3cret"
    assert far.headers[1]["x-scope-orgid"] == "team-1"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "url: missing"),
        ({"url": "ftp://x"}, "url: expected an address"),
        ({"url": "http://x", "max_series": 0}, "max_series: expected a whole number"),
        ({"url": "http://x", "labels": {"__name__": "x"}}, "labels: expected names"),
        ({"url": "http://x", "labels": {"a b": "x"}}, "labels: expected names"),
        ({"url": "http://x", "labels": {"a": 1}}, "labels: expected a string"),
        ({"url": "http://x", "headers": {"Content-Type": "x"}}, "headers: expected names"),
        ({"url": "http://x", "headers": {"a\nb": "x"}}, "headers: expected names"),
        ({"url": "http://x", "headers": {"X-Team": "caf\u00e9"}}, "headers: expected ASCII"),
        ({"url": "http://x", "max_serie": 5}, 'max_serie: unknown key; did you mean "max_series"?'),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(options: dict[str, object], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        remote_write(options, "far")
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
