"""What is kept is what was counted, whatever the names; other versions' payloads are read as far as they go."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.journal.decode import decode
from aipower.journal.encode import encode
from aipower.journal.text import pack, unpack
from aipower.journal.troubles import JournalError
from aipower.model import Position, RunEnergy, Snapshot
from fakes import GPU, process
from journal.books import (
    BOOT,
    EVENTS,
    Directory,
    Event,
    again,
    assert_conserved,
    assert_no_fall,
    counters,
    live,
    new_ledger,
    shot,
)

TEXTS = st.text(max_size=9) | st.text(alphabet='\0\udcff\ud800\n"\\é', max_size=9)


@settings(deadline=None)
@given(EVENTS, EVENTS, st.integers(1, 5), st.integers(1, 5))
def test_no_counter_falls_over_a_restart(before: list[Event], after: list[Event], cap: int, next_cap: int) -> None:
    directory = Directory()
    ledger = new_ledger(directory, cap)
    ledger.register_run("run", "resnet", "ada")
    live(ledger, directory, before)
    last = shot(ledger, {GPU.id: Position(7.0, 2**60, 3)})
    state = decode(encode(last))
    assert state.devices == last.devices
    assert (state.boot, state.naming, state.since_unix_s) == (BOOT, "name", 5.0)
    assert decode(encode(replace(last, asleep_s=7.5))).asleep_s == 7.5
    ledger = again(state, directory, now_s=len(before) - 1.0, cap=next_cap)
    first = shot(ledger)
    assert_conserved(first)
    assert_no_fall(last, first)
    if next_cap >= cap:
        assert counters(first) == counters(last)
        assert [row.error_uj for row in first.processes] == pytest.approx([row.error_uj for row in last.processes])
    live(ledger, directory, after, since=len(before))
    assert_conserved(shot(ledger))
    assert_no_fall(first, shot(ledger))


@given(TEXTS)
def test_any_text_is_kept(text: str) -> None:
    packed = pack(text)
    assert unpack(packed) == text
    assert msgspec.json.decode(msgspec.json.encode(packed)) == packed
    assert packed == text or "\0" in packed


def test_fields_of_other_versions_do_no_harm() -> None:
    directory = Directory()
    ledger = new_ledger(directory)
    live(ledger, directory, [(GPU, 1000, {(1, 1): 1.0}, set())])
    last = shot(ledger)
    newer = msgspec.json.decode(encode(last))
    newer["galaxies"] = [1]
    newer["devices"][0]["colour"] = "blue"
    newer["users"][0]["parts"][0].append("more")
    assert counters(decode(msgspec.json.encode(newer))) == counters(last)
    assert decode(b'{"at_unix_s": 1}') == Snapshot(1.0, "")


def test_the_texts_of_what_cannot_be_are_refused() -> None:
    for payload in (
        b"",
        b"[]",
        b'{"at_unix_s": 1, "other": [[0, 1]]}',
        (
            b'{"at_unix_s": 1, "devices": [{"id":"a","kind":"gpu","name":"","index":"","idle_uj":-1,"context_uj":0,'
            b'"active_uj":0,"unattributed_uj":0}]}'
        ),
        b'{"at_unix_s": 1, "boot": "\\u0000zz"}',
        b"[" * 100_000,
    ):
        with pytest.raises(JournalError) as caught:
            decode(payload)
        assert caught.value.reason == "corrupt"


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_decoding_raises_nothing_else(payload: bytes) -> None:
    with contextlib.suppress(JournalError):
        decode(payload)


def test_numbers_that_json_has_not_are_no_end() -> None:
    ledger = new_ledger(Directory())
    live(ledger, Directory(), [(GPU, 1000, {(1, 1): 1.0}, set())])
    last = shot(ledger)
    odd = replace(last, at_unix_s=float("nan"), since_unix_s=float("inf"))
    assert (decode(encode(odd)).at_unix_s, decode(encode(odd)).since_unix_s) == (0.0, None)
    huge = replace(last, runs=(RunEnergy("r", "", "", GPU, 2**62),))
    assert decode(encode(huge)).runs[0].energy_uj == 2**62


def test_a_process_of_another_boot_keeps_its_boot() -> None:
    directory = Directory()
    ledger = new_ledger(directory, boot="new")
    live(ledger, directory, [(GPU, 1000, {(1, 1): 1.0}, set())])
    (row,) = decode(encode(shot(ledger))).processes
    assert row.info is not None
    assert row.info.id == process(1, 1)
