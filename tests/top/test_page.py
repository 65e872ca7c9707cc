"""An agent's page read back: what the exporter writes, what others answer, and when it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.errors import UsageError
from aipower.model import AgentStats, FoldedEnergy, Snapshot
from aipower.top.page import PageError, PageReader
from aipower.top.remote import parse_url
from aipower.top.tickclock import TickClock
from aipower_exporters.prometheus import PrometheusExporter
from top.worlds import CPU, GPU0, GPU1, J, Used, World, busy, snapshot


def page_of(one: Snapshot) -> str:
    return PrometheusExporter().render(one, "text/plain")[0].decode()


def shown(one: Snapshot) -> dict[tuple[str, ...], int]:
    """What a page can show of processes."""
    return {
        (str(row.info.id.pid), row.info.comm, row.info.user, row.run, row.device.id): row.context_uj + row.active_uj
        for row in one.processes
        if row.info is not None
    }


def test_page_holds_what_the_snapshot_held() -> None:
    stats = AgentStats(ticks=7, missed_ticks=2, started_unix_s=5.0)
    world = replace(busy(), faults={(GPU0.id, "gone"): 3, ("", "late"): 1}, down=[GPU1])
    told = replace(snapshot(world), agent=stats, folded=(FoldedEnergy(GPU0, 1 * J, 3 * J),))
    found = PageReader().read(page_of(told), told.at_unix_s)
    assert shown(found) == shown(told)
    assert {(s.device.id, s.energy_uj, s.idle_uj, s.unattributed_uj, s.up, s.power_w) for s in found.devices} == {
        (s.device.id, s.energy_uj, s.idle_uj, s.unattributed_uj, s.up, s.power_w) for s in told.devices
    }
    assert {(s.device.id, s.device.kind, s.device.name, s.facts) for s in found.devices} == {
        (s.device.id, s.device.kind, s.device.name, s.facts) for s in told.devices
    }
    assert {(row.error_uj, row.info is None) for row in found.processes} == {(2e6, False), (0.0, True)}
    assert dict(found.fault_counts) == dict(told.fault_counts)
    assert (found.agent.ticks, found.agent.missed_ticks, found.agent.started_unix_s) == (7, 2, 5.0)
    assert (found.since_unix_s, found.version) == (told.since_unix_s, "1.0")
    assert {run.run: run.name for run in found.runs} == {"20261128T133214Z-1a2b3c4d": "baseline"}


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 2**52))
def test_any_name_comes_back_as_the_page_had_it(comm: str, user: str, energy_uj: int) -> None:
    world = World([Used(5, {CPU: energy_uj}, comm or "x", user)], devices=[CPU])
    found = PageReader().read(page_of(snapshot(world)), 0.0)
    assert len(found.processes) == 1
    assert found.processes[0].active_uj == energy_uj
    assert found.devices[0].energy_uj == energy_uj


def test_later_pages_use_what_is_known_and_forget_what_left() -> None:
    reader = PageReader(user_of=str.upper)
    for scale in (1, 2, 3):
        found = reader.read(page_of(snapshot(busy(scale=scale))), 0.0)
        assert shown(found)["1000", "vllm", "GRACE", "20261128T133214Z-1a2b3c4d", GPU0.id] == scale * 120 * J
    assert shown(reader.read(page_of(snapshot(busy(1))), 0.0)).keys() == {
        ("1000", "vllm", "GRACE", "20261128T133214Z-1a2b3c4d", device)
        for device in ("GPU-a", CPU.id, f"{CPU.id}/dram")
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>no agent</html>",
        "up 1\n",
        'aipower_device_energy_joules_total{device="x",kind="toaster",index="0"} 1\naipower_build_info{version="1"} 1',
        'aipower_build_info{version="1"} many',
        'aipower_build_info{version="1"} 1 1700000000',
        "aipower_build_info{version=",
        'aipower_process_energy_joules_total{pid="x"} 1\naipower_build_info{version="1"} 1\n',
        'aipower_device_energy_joules_total{device="x",kind="gpu",index="0"} NaN\naipower_build_info{version="1"} 1',
        'aipower_device_energy_joules_total{device="x",kind="gpu",index="0"} +Inf\naipower_build_info{version="1"} 1',
    ],
)
def test_other_pages_are_refused(text: str) -> None:
    with pytest.raises(PageError):
        PageReader().read(text, 0.0)


@given(st.text(max_size=200))
def test_garbage_raises_nothing_else(text: str) -> None:
    with pytest.raises(PageError):
        PageReader().read(f"aipower_device_{text}", 0.0)


@pytest.mark.parametrize("phase_s", [0.0, 0.3, 0.77])
@pytest.mark.parametrize("fetch_s", [0.9, 1.0, 1.3])
def test_ticks_tell_the_time_better_than_fetches(phase_s: float, fetch_s: float) -> None:
    """Ticks each second, fetched at another pace: after a minute times are right to a tenth of a second."""
    clock = TickClock()
    errors, before_s = [], -1.0
    for number in range(120):
        now_s = phase_s + number * fetch_s
        tick = int(now_s)
        stamp_s = clock.stamp_s(now_s, tick)
        assert before_s <= stamp_s <= now_s
        before_s = stamp_s
        errors.append(stamp_s - tick)
    late = errors[60:]
    assert max(late) - min(late) < 0.1 + 1e-9


def test_ticks_of_another_agent_begin_anew() -> None:
    clock = TickClock()
    for second in range(10):
        clock.stamp_s(float(second), second + 1000)
    assert clock.stamp_s(20.5, 3) == 20.5
    assert clock.stamp_s(21.5, 3) == 20.5, "the same tick has the same time"


@pytest.mark.parametrize(
    ("text", "shown_url", "path"),
    [
        ("http://127.0.0.1:9877/metrics", "http://127.0.0.1:9877/metrics", "/metrics"),
        ("node7:9877", "http://node7:9877/metrics", "/metrics"),
        ("https://ada:secret@node7/p/metrics?a=b", "https://node7:443/p/metrics", "/p/metrics?a=b"),
        ("http://[::1]:9877/", "http://[::1]:9877/metrics", "/metrics"),
    ],
)
def test_addresses(text: str, shown_url: str, path: str) -> None:
    place = parse_url(text)
    assert (place.url, place.path) == (shown_url, path)
    assert ("Authorization" in place.headers) == ("secret" in text)


@pytest.mark.parametrize(
    "text", ["ftp://x", "http://", "http://a:99999", "http://a b/", "http://a\x1b[2J/", "http://[::1"]
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(UsageError) as told:
        parse_url(text)
    assert str(told.value).isprintable()
