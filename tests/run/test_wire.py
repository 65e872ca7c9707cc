"""JSON by hand is the JSON of json."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.run.wire import decode, decode_plain, encode

TEXT = st.text()
FIELD = (
    TEXT
    | st.booleans()
    | st.integers(0, 1 << 60)
    | st.floats(0, 1e12)
    | st.lists(TEXT, max_size=5)
    | st.lists(st.integers(1, 1 << 22), max_size=5)
)
SCRAPS = st.lists(
    st.sampled_from(
        ['{"ok":', "true", "false", "null", ",", '"', '"run":"r-1"', ":", "17", "1.5", "-1", "{", "}", "[", "é", "\\n"]
    ),
    max_size=12,
)


@given(st.dictionaries(TEXT, FIELD, max_size=5))
def test_a_message_is_one_line_of_json(message: dict[str, str | float | list[int] | list[str]]) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == message


@given(st.binary(max_size=50))
def test_any_bytes_of_a_command_line_can_be_sent(word: bytes) -> None:
    sent = json.loads(encode({"command": [os.fsdecode(word)]}))
    assert sent == {"command": [word.decode(errors="replace")]}


@given(
    st.dictionaries(TEXT, TEXT | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.none(), max_size=4)
)
def test_whatever_json_writes_is_read(answer: dict[str, object]) -> None:
    for line in (
        json.dumps(answer),
        json.dumps(answer, separators=(",", ":")),
        json.dumps(answer, ensure_ascii=False),
    ):
        assert decode(line.encode() + b"\n") == answer


@given(SCRAPS)
def test_what_is_read_by_hand_means_the_same_to_json_if_it_is_json(scraps: list[str]) -> None:
    line = "".join(scraps).encode()
    found = decode_plain(line)
    try:
        meant = json.loads(line)
    except ValueError:
        return
    if found is not None:
        assert repr(found) == repr(meant)


@given(st.binary(max_size=60))
def test_no_bytes_break_it(line: bytes) -> None:
    try:
        decode(line)
    except (ValueError, RecursionError):
        assert decode_plain(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b'{"ok":true,"run":"20260101-a1b2","protocol":1,"version":"0.1.0"}\n',
        b'{"ok":true,"record":2841,"report":512}\n',
        b'{"ok":false,"error":"too many connections"}\n',
    ],
)
def test_what_an_agent_mostly_says_is_read_by_hand(line: bytes) -> None:
    assert decode_plain(line) == json.loads(line)


@pytest.mark.parametrize("value", ["1.5", "-1", "null", "[1]", '"b,c"', r'"\u0041"', '"\udcff"', "", "tru", '"'])
def test_what_is_odd_is_left_to_json(value: str) -> None:
    assert decode_plain(os.fsencode(f'{{"a":{value}}}')) is None


@pytest.mark.parametrize("line", [b"[]", b"{}", b"", b"\n", b"{", b"17"])
def test_what_is_no_answer_is_left_to_json(line: bytes) -> None:
    assert decode_plain(line) is None
