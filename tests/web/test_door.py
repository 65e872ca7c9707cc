"""Rules that change while the service runs: certificates that are renewed, files that are wrong."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest

from aipower.errors import UsageError
from aipower.web.access import Access, load_access
from aipower.web.door import LOOK_EACH_S, Door
from fakes import FakeClock
from web.certificates import Pair, make_authority, make_pair

DEADLINE_S = 60.0
PAIR = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(tmp_path: Path, authority: Pair) -> Pair:
    return make_pair(tmp_path, authority, "server", "DNS:localhost")


def at_once(look: Callable[[], None]) -> None:
    """Looks without a thread, so that it is over when `renew` returns."""
    look()


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
    door = Door(written(tmp_path, PAIR), clock.monotonic_s, aside=at_once)
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
    door = Door(written(tmp_path, PAIR), clock.monotonic_s, aside=at_once)
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
def test_a_wrong_file_raises_and_the_old_goes_on(tmp_path: Path) -> None:
    path = written(tmp_path, PAIR)
    door = Door(path, FakeClock(100.0).monotonic_s)
    before = door.access
    path.write_text("nonsense: {}")
    with pytest.raises(UsageError, match="unknown key"):
        door.check(path)
    with pytest.raises(UsageError, match="No such file"):
        door.check(tmp_path / "none")
    assert door.access is before
    door.put(door.check(None))
    assert door.access == Access()
    path.write_text(PAIR)
    door.put(door.check(path))
    assert door.access.context


# --- disks that hang ---


class SlowDisk:
    """Loads nothing until it is let go; each load is of a new object."""

    def __init__(self) -> None:
        self.entered, self.go_on = threading.Semaphore(0), threading.Event()
        self.go_on.set()

    def load(self, path: Path | None) -> Access:
        self.entered.release()
        assert self.go_on.wait(DEADLINE_S)
        return load_access(path)

    def hang(self) -> None:
        while self.entered.acquire(blocking=False):
            pass
        self.go_on.clear()


def until(fact: Callable[[], bool]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not fact():
        assert time.monotonic() < end_s
        time.sleep(0.005)


@pytest.mark.usefixtures("server")
def test_a_reload_from_a_disk_that_hangs_holds_up_no_connection(tmp_path: Path) -> None:
    disk, clock, path = SlowDisk(), FakeClock(100.0), written(tmp_path, PAIR)
    door = Door(path, clock.monotonic_s, disk.load)
    before = door.access
    disk.hang()
    reload = threading.Thread(target=lambda: door.put(door.check(path)), daemon=True)
    reload.start()
    assert disk.entered.acquire(timeout=DEADLINE_S)
    assert door.renew() is before
    disk.go_on.set()
    reload.join(DEADLINE_S)
    assert door.renew() is not before


def test_one_look_at_a_disk_that_hangs_holds_up_no_connection(tmp_path: Path, server: Pair) -> None:
    disk, clock = SlowDisk(), FakeClock(100.0)
    door = Door(written(tmp_path, PAIR), clock.monotonic_s, disk.load)
    before = door.access
    os.utime(server.cert, (1, 1))
    disk.hang()
    for _ in range(5):
        clock.sleep(LOOK_EACH_S)
        assert door.renew() is before
    assert disk.entered.acquire(timeout=DEADLINE_S)
    assert not disk.entered.acquire(timeout=0.1), "one look at a time"
    disk.go_on.set()
    until(lambda: door.access is not before)


def test_a_look_that_hung_does_not_undo_a_reload(tmp_path: Path, server: Pair) -> None:
    disk, clock, looks = SlowDisk(), FakeClock(100.0), list[threading.Thread]()

    def aside(look: Callable[[], None]) -> None:
        looks.append(threading.Thread(target=look, daemon=True))
        looks[-1].start()

    door = Door(written(tmp_path, PAIR), clock.monotonic_s, disk.load, aside)
    os.utime(server.cert, (1, 1))
    disk.hang()
    clock.sleep(LOOK_EACH_S)
    door.renew()
    assert disk.entered.acquire(timeout=DEADLINE_S)
    door.put(fresh := load_access(written(tmp_path, PAIR)))
    os.utime(server.cert, (2, 2))
    clock.sleep(LOOK_EACH_S)
    assert door.renew() is fresh
    assert disk.entered.acquire(timeout=DEADLINE_S), "what is in force now is looked after"
    looks[0].join(0)
    assert door.access is fresh
    disk.go_on.set()
    for look in looks:
        look.join(DEADLINE_S)
    assert len(looks) == 2
    assert door.access is not fresh
    assert door.access.seen != fresh.seen


def test_without_a_thread_to_spare_the_old_rules_serve_and_the_next_look_comes(tmp_path: Path, server: Pair) -> None:
    left = [RuntimeError("can't start new thread")]

    def aside(look: Callable[[], None]) -> None:
        if left:
            raise left.pop()
        look()

    clock = FakeClock(100.0)
    door = Door(written(tmp_path, PAIR), clock.monotonic_s, aside=aside)
    before = door.access
    os.utime(server.cert, (1, 1))
    clock.sleep(LOOK_EACH_S)
    assert door.renew() is before
    clock.sleep(LOOK_EACH_S)
    assert door.renew() is not before


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("less", ["", PAIR, "basic_auth_users:\n  ada: {hash}\n"])
def test_a_file_that_is_found_emptied_opens_nothing_until_a_reload(
    less: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hashed = bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()
    path, clock = written(tmp_path, f"{PAIR}basic_auth_users:\n  ada: {hashed}\n"), FakeClock()
    door = Door(path, clock.monotonic_s, aside=at_once)
    locked = door.access
    written(tmp_path, less.format(hash=hashed))
    for _ in range(2):
        clock.sleep(LOOK_EACH_S + 0.1)
        door.renew()
    assert door.access is locked
    told = [record for record in caplog.records if "would serve without" in record.getMessage()]
    assert len(told) == 1
    door.put(door.check(path))
    assert door.access is not locked
