"""The screen: as it looks at three widths, and that no name and no size breaks it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.model import Device, Unavailable
from aipower.top.cells import cut, fit, harmless, width_of
from aipower.top.head import Surroundings
from aipower.top.layout import Column, Line, place, plain
from aipower.top.look import Origin
from aipower.top.painter import BEGIN, END, Painter
from aipower.top.rows import Picture
from aipower.top.screen import draw, text_of
from aipower.top.view import View
from aipower.top.words import percent, watts
from top.worlds import CPU, DEVICES, DRAM, GPU1, HERE, J, Used, World, busy, picture

GOLDEN = Path(__file__).parent / "golden"
NO_RAPL = Unavailable("DRAM (RAPL)", "dram", "its counter can be read by root alone", "sudo chmod g+r /sys/...")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def sample() -> Picture:
    """Two seconds of a machine at work, with all that can be told of it."""
    worlds = [World(), busy(), replace(busy(scale=2), faults={(GPU1.id, "read_failed"): 3})]
    no_dram = [
        replace(
            world,
            devices=DEVICES[:3],
            used=[replace(u, uj={d: e for d, e in u.uj.items() if d != DRAM}) for u in world.used],
        )
        for world in worlds
    ]
    return picture(*no_dram, unavailable=[NO_RAPL])


def lines(found: Picture | None, view: View, width: int, height: int, around: Surroundings = HERE) -> list[str]:
    return [plain(line) for line in draw(found, view, around, width, height).lines]


@pytest.mark.parametrize(("width", "height"), [(40, 20), (80, 19), (160, 30)])
def test_looks_as_before(width: int, height: int) -> None:
    """After a change that is meant: AIPOWER_UPDATE_GOLDEN=1 pytest tests/top, and look at the difference."""
    shown = "\n".join(lines(sample(), View(), width, height)) + "\n"
    golden = GOLDEN / f"screen-{width}.txt"
    if os.environ.get("AIPOWER_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown)
    assert shown == golden.read_text()


def test_the_document_shows_the_screen() -> None:
    document = Path(__file__).parents[2] / "docs" / "top.md"
    assert (GOLDEN / "screen-80.txt").read_text() in document.read_text()


def test_all_sizes_are_filled_and_never_exceeded() -> None:
    found = sample()
    for width in (*range(1, 50), *range(50, 200, 13)):
        for height in (1, 2, 3, 5, 8, 13, 24, 50):
            for view in (View(), View(help=True), View(typing=True, filter="x" * 99), View(paused=True, whole=True)):
                screen = draw(found, view, HERE, width, height)
                assert len(screen.lines) == height
                assert all(width_of(plain(line)) <= width for line in screen.lines)


@settings(max_examples=60)
@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=30), st.integers(1, 170), st.integers(1, 40))
def test_no_name_breaks_a_line(comm: str, user: str, title: str, width: int, height: int) -> None:
    device = Device("GPU-x", "gpu", title, comm)
    used = [Used(7, {device: 5 * J}, comm, user, title)]
    world = World(used, devices=[device], runs={title: comm}, faults={("GPU-x", comm): 1}, powers_w={device: 5.0})
    found = picture(World(devices=[device]), world, unavailable=[Unavailable(comm, "cpu", user, title)])
    around = Surroundings(user, Origin("agent", title, comm, note=user), trouble=comm)
    for shown in (
        draw(found, View(filter=comm[:3]), around, width, height).lines,
        draw(found, View(help=True), around, width, height).lines,
        draw(None, View(), around, width, height).lines,
    ):
        assert len(shown) == height
        for line in shown:
            assert plain(line).isprintable()
            assert width_of(plain(line)) <= width
    for line in text_of(found, View(), around, width):
        assert plain(line).isprintable()


@given(st.text(max_size=50), st.integers(0, 60), st.booleans())
def test_texts_take_exactly_the_cells_they_are_given(text: str, width: int, right: bool) -> None:
    shown = harmless(text)
    assert shown.isprintable()
    assert width_of(fit(shown, width, right=right)) == width
    assert width_of(cut(shown, width)) <= width


@given(st.integers(0, 300))
def test_columns_never_take_more_than_there_is(width: int) -> None:
    columns = [Column("a", "A", 7, 1), Column("b", "B", 9, 0, most=20), Column("c", "C", 3, 2, most=999)]
    placed = place(columns, width)
    assert sum(one.width for one in placed) + len(placed) - 1 <= max(width, 0)


def test_sums_stand_below_the_table() -> None:
    shown = lines(sample(), View(), 100, 30)
    names = [line.split()[-1].rstrip(":") for line in shown if line.startswith(" " * 10)]
    assert names[-1] == "total"
    text = "\n".join(shown)
    for word in ("idle", "unattributed", "other", "ended", "total"):
        assert word in text


def test_a_low_screen_keeps_the_total_and_rows() -> None:
    shown = lines(sample(), View(), 80, 12)
    assert shown[-2].endswith("total")
    assert any("1000" in line for line in shown)


def test_what_is_not_measured_is_said_with_its_remedy() -> None:
    text = "\n".join(lines(sample(), View(), 160, 30))
    assert "DRAM (RAPL) not measured: its counter can be read by root alone; sudo chmod" in text
    assert "GPU 1: read_failed 3 times" in text
    assert "nothing measured" in "\n".join(lines(picture(World(devices=[])), View(), 80, 24))


def test_more_notes_than_lines_are_announced_and_in_the_help() -> None:
    many = [Unavailable(f"thing {number}", "cpu", "why", "how") for number in range(6)]
    found = picture(World(), busy(), unavailable=many)
    assert any(line.endswith("(+3: h)") for line in lines(found, View(), 80, 24))
    text = "\n".join(lines(found, View(help=True), 80, 60))
    assert all(f"thing {number} not measured: why; how" in text for number in range(6))


def test_filter_keeps_the_sum_visible() -> None:
    found = sample()
    shown = lines(found, View(filter="vllm"), 160, 30)
    assert not any("python" in line for line in shown)
    assert any("hidden: processes that the filter hides" in line for line in shown)
    assert shown[-1].startswith("/vllm")


def test_one_device_alone() -> None:
    found = picture(World(), busy(), busy(scale=2), scope=CPU.id)
    shown = lines(found, View(scope=CPU.id), 160, 30)
    assert shown[-1].startswith("CPU 0 only")
    assert found.total is not None
    assert found.total.sums.kinds_uj.keys() == {"cpu"}
    assert draw(found, View(scope="gone"), HERE, 80, 24).view.scope is None


def test_many_devices_leave_room_for_processes() -> None:
    devices = [Device(f"GPU-{number}", "gpu", "H100", str(number)) for number in range(16)]
    world = World([Used(1, {devices[0]: J})], devices=devices, powers_w=dict.fromkeys(devices, 100.0))
    found = picture(World(devices=devices), world)
    shown = lines(found, View(), 80, 24)
    assert any("more devices" in line for line in shown)
    assert any("python" in line for line in shown)
    chosen = lines(found, View(scope="GPU-15"), 80, 24)
    assert any(line.startswith("GPU 15") for line in chosen)
    assert not any("more devices" in line for line in lines(found, View(), 80, 60))


def test_scrolling_shows_other_rows() -> None:
    found = picture(World(), busy(40))
    first, later = (draw(found, View(sort="pid", offset=at), HERE, 80, 24) for at in (0, 30))
    assert "1000" in "\n".join(map(plain, first.lines))
    assert "1000" not in "\n".join(map(plain, later.lines))
    assert draw(found, View(offset=999), HERE, 80, 24).view.offset == 40 - later.stage.page


def test_waiting_says_so_and_why() -> None:
    assert "looking for sensors" in "\n".join(lines(None, View(), 80, 24))
    trouble = replace(HERE, trouble="it does not answer")
    assert "measured by this program: it does not answer" in "\n".join(lines(None, View(), 80, 24, trouble))


def test_source_is_named_at_every_width() -> None:
    around = Surroundings("node7", Origin("agent", "agent at http://h:1/metrics", "agent h:1"), running_s=5.0)
    for width in range(30, 200):
        assert "agent" in lines(sample(), View(), width, 24, around)[0]
    simulated = picture(replace(busy(), driver="simulated"))
    for width in range(30, 200):
        assert "SIMULATED" in lines(simulated, View(), width, 24, around)[0]


@pytest.mark.parametrize(
    ("power_w", "text"),
    [(None, "-"), (0.0, "0.0"), (0.004, "0.0"), (0.25, "0.25"), (9.994, "9.99"), (288.123, "288.1"),
     (9999.94, "9999.9"), (12_345.0, "12.3k"), (2.5e7, "25.0M")],
)  # fmt: skip
def test_watts_fit_their_column(power_w: float | None, text: str) -> None:
    assert watts(power_w) == text
    assert len(text) <= 7


def test_percents_fit_their_column() -> None:
    assert [percent(part) for part in (None, 0.0, 0.1234, 0.9996, 1.0)] == ["-", "0.0", "12.3", "100", "100"]


def painted(painter: Painter, shown: tuple[Line, ...]) -> str:
    return painter.paint(shown).decode()


def test_only_changed_lines_are_written_and_in_one_go() -> None:
    painter = Painter(colour=True, encoding="utf-8")
    screen = draw(sample(), View(), HERE, 80, 24).lines
    whole = painted(painter, screen)
    assert whole.startswith(BEGIN)
    assert whole.endswith(END)
    assert whole.count(BEGIN) == 1
    assert painted(painter, screen) == ""
    later = draw(sample(), View(), replace(HERE, running_s=755.0), 80, 24).lines
    assert painted(painter, later).count("\x1b[2K") == 1
    painter.forget()
    assert painted(painter, screen).count("\x1b[2K") == 24


def test_no_colour_and_no_unicode_where_they_are_not_wanted() -> None:
    screen = draw(sample(), View(), HERE, 80, 24).lines
    bare = Painter(colour=False, encoding="ascii").paint(screen).decode("ascii")
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9]m", bare)
    assert re.search(r"\x1b\[[0-9;]*[34][0-9]m", painted(Painter(colour=True, encoding="utf-8"), screen))
    assert "#" in bare
    assert "+" in bare
