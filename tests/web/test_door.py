"""Rules that change while the service runs: certificates that are renewed, files that are wrong."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path

import pytest

from aipower.errors import UsageError
from aipower.web.access import Access, load_access
from aipower.web.door import LOOK_EACH_S, Door
from fakes import FakeClock
from web.certificates import Pair, make_authority, make_pair

PAIR = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(tmp_path: Path, authority: Pair) -> Pair:
    return make_pair(tmp_path, authority, "server", "DNS:localhost")


def written(folder: Path, text: str) -> Path:
    path = folder / "web.yml"
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load_access(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


# --- loading ---


def test_without_a_file_everybody_may_come() -> None:
    assert load_access(None) == Access()


@pytest.mark.usefixtures("server")
def test_a_pair_makes_a_context(tmp_path: Path) -> None:
    assert load_access(written(tmp_path, PAIR)).context


def test_pairs_that_do_not_work_are_refused(tmp_path: Path, authority: Pair, server: Pair) -> None:
    path = written(tmp_path, PAIR)
    good_key = server.key.read_text()
    server.key.write_text(authority.key.read_text())
    assert f"key_file: {server.key}: not the key of {server.cert}" in refusal(path)
    server.key.write_text("rubbish")
    assert f"no PEM certificate, or no key in {server.key}" in refusal(path)
    server.key.unlink()
    assert f"key_file: {server.key}: No such file" in refusal(path)
    os.mkfifo(server.key)
    assert "not a regular file" in refusal(path)
    server.key.unlink()
    server.key.write_text(good_key)
    server.cert.write_text("")
    assert "cert_file" in refusal(path)


@pytest.mark.usefixtures("server")
def test_an_authority_that_is_none_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, f"{PAIR}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n")
    assert "client_ca_file" in refusal(path)
    (tmp_path / "ca.crt").write_text("rubbish")
    assert "no PEM certificate" in refusal(path)


def test_an_encrypted_key_is_refused_without_asking(tmp_path: Path, server: Pair) -> None:
    encrypted = tmp_path / "encrypted.key"
    command = ["openssl", "pkey", "-in", str(server.key), "-aes256", "-passout", "pass:secret", "-out", str(encrypted)]
    subprocess.run(command, check=True, capture_output=True)
    encrypted.replace(server.key)
    assert "the key is encrypted" in refusal(written(tmp_path, PAIR))


# --- changes ---


def test_a_renewed_pair_is_in_force_at_the_next_look(tmp_path: Path, authority: Pair, server: Pair) -> None:
    clock = FakeClock(100.0)
    door = Door(written(tmp_path, PAIR), clock.monotonic_s)
    before = door.renew()
    (tmp_path / "new").mkdir()
    server.replace_from(make_pair(tmp_path / "new", authority, "server", "DNS:other"))
    assert door.renew() is before, "not at each connection"
    clock.sleep(LOOK_EACH_S)
    after = door.renew()
    assert after.context is not before.context
    clock.sleep(LOOK_EACH_S)
    assert door.renew() is after


def test_a_broken_pair_keeps_the_old_one_and_is_told_once(
    tmp_path: Path, server: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock(100.0)
    door = Door(written(tmp_path, PAIR), clock.monotonic_s)
    before, good = door.renew(), server.cert.read_bytes()
    server.cert.write_text("half a certif")
    for _ in range(5):
        clock.sleep(LOOK_EACH_S)
        assert door.renew() is before
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "stay in force" in record.getMessage()
    server.cert.write_bytes(good)
    clock.sleep(LOOK_EACH_S)
    assert door.renew() is not before


@pytest.mark.usefixtures("server")
def test_a_reload_of_a_wrong_file_raises_and_the_old_goes_on(tmp_path: Path) -> None:
    path = written(tmp_path, PAIR)
    door = Door(path, FakeClock(100.0).monotonic_s)
    before = door.access
    path.write_text("nonsense: {}")
    with pytest.raises(UsageError, match="unknown key"):
        door.reload(path)
    with pytest.raises(UsageError, match="No such file"):
        door.reload(tmp_path / "none")
    assert door.access is before
    door.reload(None)
    assert door.access == Access()
    path.write_text(PAIR)
    door.reload(path)
    assert door.access.context
