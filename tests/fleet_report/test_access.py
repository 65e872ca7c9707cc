"""How to be let in: by a real Prometheus with TLS, a password and a path, and what is wrong with what was told."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from aipower.cli import main
from aipower.errors import UsageError
from aipower.fleet.access import Access, Credentials, access_of
from fleet_report import world as w
from fleet_report.engines import PASSWORD, USER, Guarded, guarded
from fleet_report.user import User

ASK = ("--job", "12", "--until", str(w.END_S))


@pytest.fixture(scope="module")
def vault(blocks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A Prometheus that does not let in everybody."""
    with guarded(tmp_path_factory.mktemp("vault") / "run", blocks) as found:
        yield found


def with_user(url: str, user: str) -> str:
    return url.replace("//", f"//{user}@")


def test_a_certificate_of_nobody(user: User, vault: Guarded) -> None:
    told = user.mistake(vault.url, *ASK).err
    assert "its certificate is not trusted" in told
    assert "name the CA's file by SSL_CERT_FILE" in told


def test_every_way_in(user: User, vault: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(vault.authority))
    assert "lets nobody in without the right credentials (401" in user.mistake(vault.url, *ASK).err
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    by_file = user.record(with_user(vault.url, USER), *ASK, "--password-file", str(tmp_path / "password"))
    by_url = user.record(with_user(vault.url, f"{USER}:{urllib.parse.quote(PASSWORD, safe='')}"), *ASK)
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    (tmp_path / ".netrc").chmod(0o600)
    by_netrc = user.record(f"{vault.url}/graph", *ASK)
    assert by_file == by_url == by_netrc
    assert by_file.energy_j.total == pytest.approx(w.TWICE.whole_j())
    (tmp_path / "password").write_text("wrong")
    told = user.mistake(with_user(vault.url, USER), *ASK, "--password-file", str(tmp_path / "password")).err
    assert "(401" in told


def test_without_the_path(user: User, vault: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(vault.authority))
    bare = with_user(vault.url.removesuffix("/prometheus"), f"{USER}:{urllib.parse.quote(PASSWORD, safe='')}")
    assert "has no Prometheus API (404)" in user.mistake(bare, *ASK).err


@pytest.mark.parametrize(
    ("told", "url"),
    [
        ("http://p:9090", "http://p:9090"),
        ("p:9090/", "http://p:9090"),
        ("https://p/prometheus/", "https://p/prometheus"),
        ("https://p/prometheus/api/v1", "https://p/prometheus"),
        ("http://p:9090/graph?g0.expr=up", "http://p:9090"),
        ("http://[::1]:9090", "http://[::1]:9090"),
        ("http://u:p@h:1/x", "http://h:1/x"),
    ],
)
def test_addresses(told: str, url: str) -> None:
    assert access_of(told, Credentials(), {}).url == url


@pytest.mark.parametrize(
    "url", ["", "http://", "ftp://p", "http://p:x", "http://p:99999", "http://p q", "http://p\n", "/x"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match="no address of a server"):
        access_of(url, Credentials(), {})


@pytest.mark.parametrize("header", ["", "X", ": y", "X Y: z", "X: a\nb", "X\rY: a", "X: \N{SNOWMAN}"])
def test_what_is_no_header(header: str) -> None:
    with pytest.raises(UsageError, match="--header"):
        access_of("http://p", Credentials([header]), {})


def test_a_header_of_ones_own_goes_first() -> None:
    access = access_of("http://u:p@h", Credentials(["authorization: Mine x"]), {})
    assert access.headers == {"authorization": "Mine x"}
    assert "Mine" not in repr(access)
    assert Access("http://h").headers == {}


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff"])
def test_a_file_without_a_secret(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(UsageError, match="--bearer-file"):
        access_of("http://p", Credentials(bearer_file=str(tmp_path / "secret")), {})


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        access_of("http://p", Credentials(bearer_file=str(tmp_path / "none")), {})
    with pytest.raises(UsageError, match="say whose it is"):
        access_of("http://p", Credentials(password_file="x"), {})  # noqa: S106 - a path


def test_a_broken_netrc(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine")
    with pytest.raises(UsageError, match="cannot be read"):
        access_of("http://p", Credentials(), {"NETRC": str(tmp_path / "netrc")})


@pytest.mark.parametrize("words", [("--job", "1"), ("--since", "2d"), ("--match", "a=b"), ("--bearer-file", "x")])
def test_options_of_a_cluster_need_one(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *words]) == 2
    assert capsys.readouterr().err == f"aipower: {words[0]} is for reports of a cluster: name its --prometheus URL\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--job", "1", "--user", "2"), "do not go together"),
        (("--since", "2d", "--html", "x"), "a summary has --json and --csv"),
        (("--job", "1", "--since", "2d", "--until", "3d"), "--since must be before --until"),
        (("last",), "is a run of this machine"),
        (("--match", "cluster"), "--match cluster: one label and its value"),
        (("--timeout", "0"), "no number of seconds"),
        (("--since", "then"), "is no time"),
        (("--json", "--csv"), "two results cannot go to the same place"),
    ],
)
def test_options_that_do_not_fit(user: User, words: tuple[str, ...], told: str) -> None:
    done = user.mistake("http://127.0.0.1:1", *words)
    assert done.code == 2
    assert told in done.err
