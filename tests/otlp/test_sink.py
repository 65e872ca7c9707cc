"""What the sink sends, and what it makes of the answers."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from aipower.errors import UsageError
from aipower.model import UJ_PER_J, AgentStats, Device, DeviceFacts, DeviceState, Snapshot
from aipower.sinks import Sink, SinkError
from aipower_exporters.otlp import message
from aipower_exporters.otlp.mapping import INSTRUMENTS, convention
from aipower_exporters.otlp.resource import resource
from aipower_exporters.otlp.sink import OtlpSink, otlp
from aipower_exporters.remote_write.delivery import Delivery
from aipower_exporters.samples import collect
from aipower_exporters.sinks.http import Answer, Endpoint
from exporters.snapshots import GPU0, SNAPSHOTS, node
from otlp import reading
from otlp.reading import Read, Series
from remote_write.nodes import JOB_UNIX_S, PROCESSES_UNIX_S, busy, full
from remote_write.receiver import Said, receiver

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
NS = 1_000_000_000


class Kept(Delivery):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__(Endpoint("", 1.0))
        self.bodies: list[bytes] = []

    def send(self, requests: Any, headers: Mapping[str, str], *, most_s: float | None = None) -> None:
        del headers, most_s
        for request in requests:
            self.bodies.append(request.body)
            request.arrived(Answer(200, {}, b""))

    def points(self) -> list[dict[Series, Read]]:
        return [reading.points(reading.request(body)) for body in self.bodies]


def kept(*snapshots: Snapshot, max_points: int = 4000) -> Kept:
    """What a sink sends of `snapshots`."""
    delivery = Kept()
    sink = OtlpSink(delivery, message, {"service.name": "aipower"}, zipped=False, max_points=max_points)
    for snapshot in snapshots:
        sink.push(snapshot)
    return delivery


def of(*snapshots: Snapshot) -> dict[Series, Read]:
    """The points of the last of `snapshots`."""
    return kept(*snapshots).points()[-1]


def named(found: Mapping[Series, Read], name: str) -> dict[tuple[str, ...], Read]:
    """The points of one metric by the values of their attributes, sorted by key."""
    return {
        tuple(value for _, value in sorted(pairs)): read for (metric, pairs), read in found.items() if metric == name
    }


def made(url: str, **options: object) -> Sink:
    return otlp({"url": f"{url}/v1/metrics", **options}, "far")


def refused(sink: Sink, snapshot: Snapshot | None = None) -> SinkError:
    with pytest.raises(SinkError) as caught:
        sink.push(snapshot or node())
    return caught.value


def expected(snapshot: Snapshot) -> dict[Series, float]:
    """The series of the page under the names that the mapping gives them; without the names of devices."""
    found: dict[Series, float] = {}
    for metric, rows in collect(snapshot).items():
        for labels, value in rows.items():
            kind = dict(zip(metric.labels, labels, strict=True)).get("kind", "")
            special = convention(metric, kind)
            keys = ("hw.id", "hw.type", "index") if special else INSTRUMENTS[metric].attributes
            type_of = {"gpu": "gpu", "cpu": "cpu", "dram": "memory"}.get(kind, "")
            values = (labels[0], type_of, labels[2]) if special else labels
            name = (special or INSTRUMENTS[metric]).name
            found[name, frozenset((key, value) for key, value in zip(keys, values, strict=True) if value)] = value
    return found


def without_names(found: Mapping[Series, Read]) -> dict[Series, Read]:
    return {
        (name, frozenset(pair for pair in pairs if pair[0] not in {"hw.name", "hw.parent"})): read
        for (name, pairs), read in found.items()
    }


@given(SNAPSHOTS)
@settings(max_examples=25)
def test_any_snapshot_is_read_by_the_official_messages_as_it_is_on_the_page(snapshot: Snapshot) -> None:
    found, wanted = without_names(of(snapshot)), expected(snapshot)
    assert found.keys() == wanted.keys()
    for series, value in wanted.items():
        read = found[series].value
        assert read is not None
        assert read == value or (math.isnan(read) and math.isnan(value))
    assert all(read.start_ns <= read.at_ns for read in found.values())


@given(SNAPSHOTS)
@settings(max_examples=25)
def test_the_energy_of_all_devices_is_conserved(snapshot: Snapshot) -> None:
    names = {"hw.energy", "hw.host.energy", "aipower.device.energy"}
    sent = math.fsum(float(read.value or 0) for (name, _), read in of(snapshot).items() if name in names)
    assert sent == pytest.approx(sum(state.energy_uj for state in snapshot.devices) / UJ_PER_J, rel=1e-12)


def test_jobs_folded_and_idle_sum_exactly_to_the_device() -> None:
    found = of(full())

    def sums_uj(name: str, key: str) -> dict[str, int]:
        sums: dict[str, int] = {}
        for (metric, pairs), read in found.items():
            if metric == name:
                device = dict(pairs)[key]
                sums[device] = sums.get(device, 0) + round(float(read.value or 0) * UJ_PER_J)
        return sums

    devices, jobs = sums_uj("hw.energy", "hw.id"), sums_uj("aipower.job.energy", "device")
    folded = sums_uj("aipower.job.folded_energy", "device")
    assert len(devices) == 10
    assert {device: jobs[device] + folded[device] for device in devices} == devices


def test_a_gpu_has_the_attributes_of_the_conventions() -> None:
    part = Device("core-0", "cpu", "cores", "0", parent="package-0")
    state = DeviceState(part, DeviceFacts(), True, 5.0, 0, 0, 0, 0, 0)
    found = of(replace(node(), devices=(*node().devices, state)))
    energies = {dict(pairs)["hw.id"]: dict(pairs) for name, pairs in found if name == "hw.energy"}
    assert energies[GPU0.id] == {"hw.id": GPU0.id, "hw.type": "gpu", "hw.name": GPU0.name, "index": "0"}
    assert energies["package-0"]["hw.type"] == "cpu"
    assert energies["core-0"]["hw.parent"] == "package-0"
    power = named(found, "hw.power")
    assert power[GPU0.id, GPU0.name, "gpu", "0"] == Read(412.5, 0, 1_790_000_000 * NS, "W", "gauge")
    assert not any("GPU-1bbb" in values for values in power)


@pytest.mark.parametrize(("kind", "name"), [("node", "hw.host.energy"), ("module", "aipower.device.energy")])
def test_what_contains_components_is_not_summed_with_them(kind: Any, name: str) -> None:
    device = Device("bmc", kind, "the machine", "0")
    found = of(Snapshot(9.0, "1", devices=(DeviceState(device, DeviceFacts(), True, 5.0, 7, 7, 0, 0, 0),)))
    assert len(named(found, name)) == 1
    assert named(found, "hw.energy") == {}


def test_each_counter_began_when_its_account_did() -> None:
    snapshot = replace(full(), agent=replace(node().agent, started_unix_s=1_789_000_000.25))
    found = of(snapshot)
    devices = {read.start_ns for read in named(found, "hw.energy").values()}
    assert devices == {1_780_000_000 * NS}
    processes = {read.start_ns for read in named(found, "aipower.process.energy").values()}
    assert processes == {round((PROCESSES_UNIX_S + n) * NS) for n in range(64)}
    assert {read.start_ns for read in named(found, "aipower.agent.cpu").values()} == {1_789_000_000_250_000_000}
    assert {read.start_ns for read in named(found, "aipower.sensor.up").values()} == {0}
    jobs = named(of(busy()), "aipower.job.energy")
    slurm = [read for values, read in jobs.items() if "slurm" in values and GPU0.id in values]
    assert [read.start_ns for read in slurm] == [round(JOB_UNIX_S * NS)]


def test_counts_are_integers_and_energies_are_not() -> None:
    found = of(busy())
    ticks, energies = named(found, "aipower.agent.ticks")[()], named(found, "hw.energy").values()
    assert (type(ticks.value), ticks.value) == (int, 3600)
    assert {type(read.value) for read in energies} == {float}
    assert {type(read.value) for read in named(found, "aipower.build.info").values()} == {int}
    assert next(iter(named(found, "aipower.build.info").values())).kind == "sum that may fall"
    assert ticks.kind == "sum"


def test_a_clock_that_was_set_back_makes_no_start_in_the_future() -> None:
    snapshot = Snapshot(100.0, "1", agent=AgentStats(started_unix_s=200.0), since_unix_s=300.0)
    assert {read.start_ns for read in of(snapshot).values()} <= {0, 100 * NS}


def test_a_series_that_left_ends_once_with_its_own_beginning() -> None:
    less = replace(busy(1_790_000_015.0), processes=())
    first, second, third = kept(busy(), less, less).points()
    ended = {series for series, read in second.items() if read.value is None}
    gone = ("aipower.process.energy", "aipower.process.energy_error", "aipower.process.info")
    assert ended == {(name, pairs) for name, pairs in first if name in gone}
    assert {second[series].start_ns for series in ended} == {first[series].start_ns for series in ended}
    assert all(read.value is not None for read in third.values())


def test_a_series_that_comes_back_after_a_failure_has_one_point() -> None:
    delivery, less = Kept(), replace(busy(1_790_000_015.0), processes=())
    sink = OtlpSink(delivery, message, {}, zipped=False)
    sink.push(busy())
    delivery.send = lambda *_, **__: (_ for _ in ()).throw(SinkError("timeout", ""))  # type: ignore[method-assign]
    refused(sink, less)
    del delivery.send
    sink.push(busy(1_790_000_030.0))
    assert all(read.value is not None for read in delivery.points()[-1].values())


def test_closing_ends_all_series_that_are_there() -> None:
    with receiver() as far:
        sink = made(far.url)
        sink.push(busy(1.0))
        sink.close()
    first, last = (reading.points(reading.request(gzip.decompress(body))) for body in far.bodies)
    assert first.keys() == last.keys()
    assert {read.value for read in last.values()} == {None}
    assert min(read.at_ns for read in last.values()) >= (time.time() - 60) * NS


def test_closing_does_not_bother_a_receiver_that_fails() -> None:
    with receiver(Said(503)) as far:
        sink = made(far.url)
        refused(sink)
        sink.close()
    assert len(far.bodies) == 1


def test_a_large_page_goes_in_several_requests() -> None:
    parts = kept(full(), max_points=300).points()
    assert len(parts) > 3
    assert all(len(part) == 300 for part in parts[:-1])
    together = {series: read for part in parts for series, read in part.items()}
    assert len(together) == sum(map(len, parts))
    assert together == of(full())


def test_the_request_is_one_of_otlp() -> None:
    with receiver() as far:
        made(far.url, resource={"deployment.environment.name": "lab"}).push(node())
        made(far.url, compression="none").push(node())
    zipped, plain = far.headers
    assert far.paths == ["/v1/metrics", "/v1/metrics"]
    assert (zipped["content-type"], zipped["content-encoding"]) == ("application/x-protobuf", "gzip")
    assert zipped["user-agent"] == "aipower/0.1.0"
    assert "content-encoding" not in plain
    first = reading.request(gzip.decompress(far.bodies[0]))
    (attributes,) = reading.resources(first)
    assert attributes["service.name"] == "aipower"
    assert attributes["service.version"] == "0.1.0"
    assert attributes["deployment.environment.name"] == "lab"
    assert reading.points(first) == reading.points(reading.request(far.bodies[1]))
    scope = first.resource_metrics[0].scope_metrics[0]
    assert (scope.scope.name, scope.scope.version) == ("aipower", "0.1.0")
    assert scope.schema_url == "https://opentelemetry.io/schemas/1.44.0"


@pytest.mark.parametrize(
    ("given", "path"), [("", "/v1/metrics"), ("/", "/v1/metrics"), ("?a=b", "/v1/metrics?a=b"), ("/otlp/", "/otlp/")]
)
def test_the_path_may_be_left_out(given: str, path: str) -> None:
    with receiver() as far:
        otlp({"url": far.url + given}, "far").push(node())
    assert far.paths == [path]


def partly(count: int, text: str) -> bytes:
    partial = ExportMetricsPartialSuccess(rejected_data_points=count, error_message=text)
    return ExportMetricsServiceResponse(partial_success=partial).SerializeToString()


@pytest.mark.parametrize(
    "said",
    [
        Said(200, PROTOBUF, partly(3, "too old\nmore")),
        Said(200, JSON, b'{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too old"}}'),
    ],
    ids=["protobuf", "json"],
)
def test_points_that_were_not_taken_are_a_fault_with_the_reason(said: Said) -> None:
    with receiver(said) as far:
        error = refused(made(far.url))
    assert error.reason == "rejected"
    assert str(error) == "3 points were not taken: too old"


@pytest.mark.parametrize(
    "said",
    [
        Said(200, PROTOBUF, b""),
        Said(200, PROTOBUF, partly(0, "a warning")),
        Said(200, JSON, b"{}"),
        Said(200, JSON, b'{"partialSuccess":null}'),
        Said(202),
    ],
)
def test_all_points_were_taken(said: Said) -> None:
    with receiver(said) as far:
        made(far.url).push(node())


@pytest.mark.parametrize(
    "said",
    [
        Said(200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"),
        Said(200, PROTOBUF, b"\xff\xff"),
        Said(200, JSON, b"["),
        Said(200, JSON, b"[]"),
    ],
)
def test_an_answer_that_is_none_of_otlp_is_a_fault(said: Said) -> None:
    with receiver(said) as far:
        assert refused(made(far.url)).reason == "rejected"


def faults(answer: Answer) -> list[SinkError]:
    try:
        message.check_all_taken(answer)
    except SinkError as error:
        return [error]
    return []


VALUES = st.recursive(st.none() | st.text() | st.floats(), st.lists, max_leaves=5)
JSONS = VALUES.map(lambda some: json.dumps(some).encode())


@given(
    st.binary() | JSONS,
    st.sampled_from(["", "application/x-protobuf", "application/json; charset=utf-8", "text/html", "text/plain"]),
)
@settings(max_examples=50)
@example(b'{"partialSuccess":{"rejectedDataPoints":Infinity}}', "application/json")
@example(b"[" * 60_000, "application/json")
def test_whatever_is_answered_is_a_success_or_a_fault(body: bytes, kind: str) -> None:
    answer = Answer(200, {"content-type": kind}, body)
    assert message.told(answer).isprintable()
    assert all(error.reason == "rejected" and str(error).isprintable() for error in faults(answer))


def test_without_its_library_the_kind_says_what_to_install() -> None:
    program = """if True:
        import sys
        from aipower.errors import UsageError
        from aipower_exporters.otlp.sink import otlp
        assert not any(name.startswith(("google", "opentelemetry")) for name in sys.modules)
        sys.modules["opentelemetry"] = None
        try:
            otlp({"url": "http://127.0.0.1:1"}, "far")
        except UsageError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == 'kind: otlp needs opentelemetry-proto; pip install "aipower[otlp]"\n'


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "rejected"), (404, "rejected"), (413, "rejected"), (401, "denied"), (429, "throttled"),
     (500, "failed"), (502, "refused"), (503, "refused"), (504, "refused")],
)  # fmt: skip
def test_each_status_has_its_reason(status: int, reason: str) -> None:
    with receiver(Said(status)) as far:
        assert refused(made(far.url)).reason == reason


def test_a_rest_that_is_asked_for_is_given() -> None:
    with receiver(Said(503, {"Retry-After": "60"})) as far:
        sink = made(far.url)
        assert [refused(sink).reason, refused(sink).reason] == ["throttled", "throttled"]
    assert len(far.bodies) == 1


def test_the_status_that_comes_with_an_error_is_told() -> None:
    status = b"\x08\x03\x12\x0fbad metric name"
    with receiver(Said(400, PROTOBUF, status), Said(400, PROTOBUF, b"\xff")) as far:
        assert str(refused(made(far.url))).endswith("answers 400: bad metric name")
        assert str(refused(made(far.url))).endswith("answers 400")


def test_credentials_and_headers_go_along(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    with receiver() as far:
        made(far.url, token_file=str(secret), headers={"X-Tenant": "team-1"}).push(node())
    assert far.headers[0]["authorization"] == "Bearer s3cret"
    assert far.headers[0]["x-tenant"] == "team-1"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "url: missing"),
        ({"url": "grpc://x"}, "url: expected an address"),
        ({"url": "http://x", "compression": "zstd"}, "compression: expected one of gzip, none"),
        ({"url": "http://x", "max_points": 0}, "max_points: expected a whole number"),
        ({"url": "http://x", "resource": {"a b": "x"}}, "resource: expected names"),
        ({"url": "http://x", "headers": {"Content-Encoding": "x"}}, "headers: expected names"),
        ({"url": "http://x", "endpoint": "x"}, "endpoint: unknown key"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(options: dict[str, object], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        otlp(options, "far")
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def machine(root: Path, text: str = "0123456789abcdef0123456789abcdef\n") -> Path:
    (root / "etc").mkdir()
    (root / "etc/machine-id").write_text(text)
    return root


def test_the_resource_says_which_machine_it_is(tmp_path: Path) -> None:
    found = resource({}, machine(tmp_path), host="node-7")
    assert found["service.name"] == "aipower"
    assert found["host.name"] == "node-7"
    assert found["host.id"] == "0123456789abcdef0123456789abcdef"
    assert resource({}, tmp_path, host="renamed")["service.instance.id"] == found["service.instance.id"]


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv", "var/run/secrets/kubernetes.io"])
def test_a_container_does_not_know_the_machine(tmp_path: Path, mark: str) -> None:
    root = machine(tmp_path)
    (root / mark).mkdir(parents=True)
    found = resource({}, root, host="pod-1")
    assert "host.id" not in found
    assert resource({}, root, host="pod-2")["service.instance.id"] != found["service.instance.id"]


@pytest.mark.parametrize("text", ["", "uninitialized\n", "\xff"])
def test_a_machine_without_an_id_is_known_by_its_name(tmp_path: Path, text: str) -> None:
    assert "host.id" not in resource({}, machine(tmp_path, text), host="x")


def test_what_a_user_says_of_the_resource_stands(tmp_path: Path) -> None:
    given = {"host.id": "", "host.name": "rack-3", "service.instance.id": "mine", "cluster": "a"}
    found = resource(given, machine(tmp_path), host="x")
    assert found == {"service.name": "aipower", "host.name": "rack-3", "service.instance.id": "mine", "cluster": "a"}
