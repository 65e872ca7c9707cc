"""What keys do, which rows are shown, and how bytes become keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.top.keys import LONGEST, NAMES, KeyDecoder
from aipower.top.order import VALUES, divide, sorted_rows, summed
from aipower.top.view import ACTS, MOVES, Stage, View, clamped, press
from top.worlds import CPU, GPU0, J, Used, World, busy, picture

COLUMNS = ("pid", "user", "power", "energy", "command")
STAGE = Stage(COLUMNS, ("GPU-a", "GPU-b"), rows=100, page=10)


def pressed(*keys: str, view: View | None = None, stage: Stage = STAGE) -> View:
    found = view or View()
    for key in keys:
        found = press(found, key, stage)
    return found


@pytest.mark.parametrize("key", ["q", "Q", "ctrl-c"])
def test_keys_that_end(key: str) -> None:
    assert pressed(key).ended


def test_sorting_by_letters_and_by_neighbours() -> None:
    assert pressed("j").sort == "energy"
    assert pressed("P").sort == "pid"
    assert pressed(">").sort == "energy"
    assert pressed("<").sort == "user"
    assert pressed("<", "<", "<", "<").sort == "pid"
    assert pressed(*[">"] * 9).sort == "command"
    assert pressed("r").reverse
    assert not pressed("r", "r").reverse
    assert not pressed("r", "j").reverse, "a new column begins with its own direction"
    assert pressed(">", view=View(sort="dram")).sort == "pid", "a column that is not on the screen"


def test_scrolling_stays_within_the_rows() -> None:
    assert pressed("up").offset == 0
    assert pressed("down", "down").offset == 2
    assert pressed("pagedown").offset == 9
    assert pressed("end").offset == 90
    assert pressed("end", "down").offset == 90
    assert pressed("end", "home").offset == 0
    assert pressed("end", "pageup").offset == 81
    assert pressed("down", stage=Stage(rows=3, page=10)).offset == 0
    assert clamped(View(offset=50, scope="gone"), Stage(rows=20, page=10)) == View(offset=10)


def test_filter_is_typed_and_cleared() -> None:
    typing = pressed("/", "p", "y", "q")
    assert (typing.filter, typing.typing, typing.ended) == ("pyq", True, False)
    assert pressed("backspace", view=typing).filter == "py"
    assert pressed("enter", view=typing) == replace(typing, typing=False)
    assert pressed("escape", view=typing).filter == ""
    assert pressed("enter", "escape", view=typing) == View()
    assert pressed("up", view=typing) == typing, "arrows are no text"
    assert pressed("ctrl-c", view=typing).ended


def test_devices_one_after_the_other() -> None:
    assert pressed("d").scope == "GPU-a"
    assert pressed("d", "d").scope == "GPU-b"
    assert pressed("d", "d", "d").scope is None
    assert pressed("D").scope == "GPU-b"
    assert pressed("d", stage=Stage()).scope is None


def test_pause_reset_whole_help() -> None:
    assert pressed(" ").paused
    assert not pressed(" ", " ").paused
    assert pressed("a").whole
    assert pressed("a", "c") == View(resets=1), "a reset is of no use to whoever looks at all"
    assert pressed("h").help
    assert pressed("?", "down").help
    assert not pressed("h", "x").help
    assert not pressed("h", "q").ended, "any key leaves the help first"


@given(st.lists(st.sampled_from([*ACTS, *MOVES, "enter", "backspace", "x", "ä"]), max_size=40))
def test_no_sequence_of_keys_leads_astray(keys: list[str]) -> None:
    found = pressed(*keys)
    assert 0 <= found.offset <= STAGE.rows
    assert found.scope in (None, *STAGE.devices)
    assert found.sort in VALUES


def test_rows_are_sorted_by_each_column() -> None:
    found = picture(World(), busy()).processes
    for column in VALUES:
        for reverse in (False, True):
            assert len(sorted_rows(found, column, reverse=reverse)) == len(found)
    by_energy = sorted_rows(found, "energy", reverse=False)
    assert [row.pid for row in by_energy] == [1000, 1001, 1002, 1003]
    assert [row.pid for row in sorted_rows(found, "energy", reverse=True)] == [1003, 1002, 1001, 1000]
    assert [row.pid for row in sorted_rows(found, "pid", reverse=False)] == [1000, 1001, 1002, 1003]
    assert [row.user for row in sorted_rows(found, "user", reverse=False)] == ["ada", "ada", "grace", "grace"]
    assert sorted_rows(found, "run", reverse=False)[0].run == "baseline", "those of a run come first"


def test_unknown_watts_come_last_and_equals_keep_their_places() -> None:
    world = World([Used(pid, {CPU: J}) for pid in (3, 1, 2)], devices=[CPU])
    found = picture(World(devices=[CPU]), world).processes
    assert [row.pid for row in sorted_rows(found, "power", reverse=False)] == [1, 2, 3]
    assert [row.pid for row in sorted_rows(reversed(found), "energy", reverse=False)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "pids"),
    [
        ("VLLM", [1000, 1002]),
        ("ada vllm", [1002]),
        ("1003", [1003]),
        ("baseline", [1000]),
        ("nobody", []),
        (" ", None),
    ],
)
def test_filter_finds_command_user_pid_and_run(text: str, pids: list[int] | None) -> None:
    rows = picture(World(), busy()).processes
    shown, hidden = divide(rows, text)
    assert [row.pid for row in shown] == ([row.pid for row in rows] if pids is None else pids)
    both = summed("", shown).sums.energy_uj + summed("", hidden).sums.energy_uj
    assert both == summed("", rows).sums.energy_uj
    assert summed("", rows).sums.kinds_uj["gpu"] == sum(row.sums.kinds_uj["gpu"] for row in rows)
    assert summed("", picture(busy()).processes[:0]).sums.power_w is None
    assert GPU0.kind == "gpu"


@given(st.lists(st.sampled_from([*NAMES, "q", "ä", "漢", "😀"]), max_size=20), st.data())
def test_keys_are_found_however_the_bytes_are_cut(keys: list[str], data: st.DataObject) -> None:
    raw = "".join(keys).encode()
    decoder, at = KeyDecoder(), 0
    found: list[str] = []
    while at < len(raw):
        step = data.draw(st.integers(1, len(raw) - at))
        found += decoder.feed(raw[at : at + step])
        at += step
    assert found == [NAMES.get(key, key) for key in keys]
    assert not decoder.waiting


@given(st.binary(max_size=200))
def test_no_bytes_harm_the_decoder(raw: bytes) -> None:
    decoder = KeyDecoder()
    keys = [*decoder.feed(raw), *decoder.flush(), *decoder.feed(b"q")]
    assert all(key.isprintable() for key in keys)
    assert keys[-1:] == ["q"] or raw[-1:] >= b"\xc0", "a letter that was not finished may take it along"


def test_escape_alone_is_a_key_once_nothing_follows() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b") == []
    assert decoder.waiting
    assert decoder.flush() == ["escape"]
    assert decoder.feed(b"\x1bq") == ["escape", "q"]
    assert decoder.feed(b"\x1b[99~x") == ["x"], "an unknown key is none"
    assert decoder.feed(b"\x1b[" + b"1" * LONGEST)[0] == "escape"
