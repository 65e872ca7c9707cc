from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import UsageError
from aipower.settings.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9877", Address("127.0.0.1", 9877)),
        ("localhost:0", Address("localhost", 0)),
        ("gpu-node-17.cluster:65535", Address("gpu-node-17.cluster", 65535)),
        ("10.0.0.1:9877", Address("10.0.0.1", 9877)),
        ("[::1]:9877", Address("::1", 9877)),
        ("[::]:9877", Address("::", 9877)),
        ("[fe80::1%eth0]:9877", Address("fe80::1%eth0", 9877)),
    ],
)
def test_an_address_is_read_and_written_back(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the port is missing"),
        ("localhost", "the port is missing"),
        ("9877", "the port is missing"),
        (":9877", "all addresses of this machine are 0.0.0.0:9877"),
        ("localhost:", '"" is no port from 0 to 65535'),
        ("localhost:http", '"http" is no port'),
        ("localhost:65536", '"65536" is no port'),
        ("localhost:-1", '"-1" is no port'),
        ("localhost:٣", "is no port"),
        ("localhost:" + "9" * 5000, "is no port"),
        ("::1:9877", "an IPv6 address needs brackets"),
        ("[::1]", "an IPv6 address needs brackets"),
        ("[::x]:9877", '"::x" is no IPv6 address'),
        ("[127.0.0.1]:9877", "is no IPv6 address"),
        ("http://localhost:9877", "an IPv6 address needs brackets"),
        ("local host:9877", '"local host" is no host'),
        ("-:9877", '"-" is no host'),
        ("a\0b:9877", "is no host"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_address(text)
    assert why in str(refusal.value)
    assert "expected HOST:PORT, as in 127.0.0.1:9877" in str(refusal.value)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_ip_address_survives_writing_and_reading(ip: object, port: int) -> None:
    address = Address(str(ip), port)
    assert parse_address(str(address)) == address


@given(st.text(max_size=40) | st.text(alphabet="[]:%.0123456789af", max_size=24))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except UsageError:
        return
    assert parse_address(str(address)) == address
