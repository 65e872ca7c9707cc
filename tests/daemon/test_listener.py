"""Where the service can listen, and what it says where it cannot."""

from __future__ import annotations

import errno
import socket

import pytest

from aipower.daemon.serving.listener import reason
from aipower.errors import AipowerError
from aipower.settings.address import Address
from daemon.services import get, service


def refusal(host: str, port: int) -> str:
    with pytest.raises(AipowerError) as caught:
        service(port, host).start()
    message = str(caught.value)
    assert message.startswith(f"cannot listen on {Address(host, port)}: ")
    assert len(message.splitlines()) == 1
    return message


def test_an_address_in_use_is_an_error_that_says_what_to_do() -> None:
    with service() as running:
        message = refusal("127.0.0.1", running.address.port)
    assert "the address is in use" in message
    assert "--listen HOST:PORT" in message


def test_an_address_of_another_machine_is_an_error() -> None:
    # 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    assert "this machine has no such address" in refusal("192.0.2.1", 9877)


def test_an_unknown_host_is_an_error() -> None:
    assert 'there is no host "nowhere.invalid"' in refusal("nowhere.invalid", 9877)


@pytest.mark.parametrize(
    ("host", "port"),
    [("a\0b", 0), ("x" * 70, 0), ("127.0.0.1", 70_000), ("127.0.0.1", -1), ("127.0.0.1", 2**80)],
)
def test_a_malformed_address_is_an_error(host: str, port: int) -> None:
    assert refusal(host, port)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_port_that_is_not_permitted_is_explained(number: int) -> None:
    # Not with a real port: root may bind all of them, and so may anyone in many containers.
    assert "not permitted" in reason(OSError(number, "x"), Address("127.0.0.1", 80))


def test_it_listens_on_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with service(host="::1") as running:
        assert str(running.address).startswith("[::1]:")
        assert get(running).text == "hello\n"
