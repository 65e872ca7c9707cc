"""Steps, amounts of work and figures of merit."""

from __future__ import annotations

import math
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aipower
from aipower.phases import message
from phases.receiver import Receiver, parse


def test_work_goes_to_the_phase_it_was_done_in(receiver: Receiver) -> None:
    aipower.step()
    with aipower.phase("train"):
        aipower.step(4)
        aipower.log(tokens=8192, samples=2.5)
    told = receiver.messages()
    begun = next(message for message in told if message.kind == "B")
    work = [(message.span, *message.rest) for message in told if message.kind == "W"]
    assert work == [
        (0, "steps", "1.0"),
        (begun.span, "steps", "4.0"),
        (begun.span, "tokens", "8192.0"),
        (begun.span, "samples", "2.5"),
    ]


def test_figures_of_merit(receiver: Receiver) -> None:
    aipower.metric(accuracy=0.91, loss=math.nan)
    assert receiver.brief() == ["M accuracy 0.91"]


@pytest.mark.parametrize("amount", [-1, math.nan, math.inf])
def test_amounts_that_are_none(receiver: Receiver, amount: float) -> None:
    aipower.log(tokens=amount)
    assert receiver.raw() == b""


class Tensor:
    """As a framework's: it can be asked for its number, and may refuse."""

    def __init__(self, value: float | None) -> None:
        self.value = value
        self.asked = 0

    def __float__(self) -> float:
        self.asked += 1
        if self.value is None:
            raise ValueError("only one element tensors can be converted")
        return self.value


def test_a_tensor_is_a_number(receiver: Receiver) -> None:
    aipower.log(tokens=Tensor(3.0))
    aipower.metric(loss=Tensor(None))
    assert receiver.brief() == ["W tokens 3.0"]


@pytest.mark.usefixtures("alone")
def test_a_tensor_is_not_asked_when_nobody_listens() -> None:
    tensor = Tensor(3.0)
    aipower.log(tokens=tensor)
    aipower.step(tensor)
    aipower.metric(loss=tensor)
    assert tensor.asked == 0


@pytest.mark.parametrize("around", ["alone", "receiver"])
def test_misuse_is_told_with_and_without_a_run(around: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(around)
    with pytest.raises(TypeError, match="n must be a number, not str"):
        aipower.step("3")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="tokens must be a number, not list"):
        aipower.log(tokens=[3])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="accuracy must be a number, not NoneType"):
        aipower.metric(accuracy=None)  # type: ignore[arg-type]


@given(st.text())
def test_any_name_is_one_field_that_can_be_read_again(name: str) -> None:
    line = message.began(1, 0, name).decode("ascii")
    told = parse(line)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert len(line) <= 512
    assert len(told.rest) == 2
    assert 1 <= len(told.rest[1]) <= message.LONGEST_NAME
    read = unquote_to_bytes(told.rest[1]).decode()
    assert (name or message.UNNAMED).encode(errors="backslashreplace").decode().startswith(read)


@given(st.text(max_size=11))
def test_short_names_are_kept_whole(name: str) -> None:
    if name.isascii() or len(name.encode(errors="replace")) * 3 <= message.LONGEST_NAME:
        assert unquote_to_bytes(message.encoded(name)) == (name or message.UNNAMED).encode(errors="backslashreplace")


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("epoch 1", "epoch%201"),
        ("a\nB 1 2", "a%0AB%201%202"),
        ("100%", "100%25"),
        ("训练", "%E8%AE%AD%E7%BB%83"),
        ("\udc80", "%5Cudc80"),
        ("", "unnamed"),
        ("x" * 200, "x" * 100),
        ("é" * 50, "%C3%A9" * 16),
    ],
)
def test_encoding(name: str, encoded: str) -> None:
    assert message.encoded(name) == encoded


@given(st.integers(min_value=0), st.floats(allow_nan=False), st.text())
def test_every_message_fits(span: int, amount: float, name: str) -> None:
    span %= 1 << 64
    for line in (
        message.began(span, span, name),
        message.ended(span),
        message.worked(span, name, amount),
        message.scored(span, name, amount),
        message.lost(span),
    ):
        assert len(line) <= 512
        assert line.isascii()
