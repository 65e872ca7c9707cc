"""The web configuration: the file of Prometheus' exporter toolkit, as far as this server can do what it says.

What it cannot do is refused, never ignored: a file that asks for a protection must give it.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct, field

from aipower.web.document import read_document
from aipower.web.section import Section, shown
from aipower.web.words import CLIENT_AUTH, CURVES, HEADERS, TLS12_SUITES, TLS13_SUITES, UNSUPPORTED, VERSIONS

SECTIONS = ("tls_server_config", "http_server_config", "basic_auth_users")
TLS_KEYS = (
    "cert_file", "key_file", "client_auth_type", "client_ca_file", "client_allowed_sans", "min_version", "max_version",
    "cipher_suites", "prefer_server_cipher_suites", "curve_preferences",
)  # fmt: skip
HASH = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}", re.ASCII)
MIN_COST, MAX_COST = 4, 16
"""Costs of bcrypt: it allows no less; each step more doubles the time, and 16 takes about four seconds."""


class TlsSettings(Struct, frozen=True):
    """What `tls_server_config` says."""

    cert_file: Path
    key_file: Path
    verify: ssl.VerifyMode = ssl.CERT_NONE
    client_ca_file: Path | None = None
    client_allowed_sans: frozenset[str] = frozenset()
    min_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    max_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: tuple[str, ...] = ()
    """OpenSSL's names of the suites of TLS 1.2, the preferred first; empty for its own choice."""
    server_prefers: bool = True
    curve: str = ""
    """OpenSSL's name of the only curve; empty for its own choice."""


class WebConfig(Struct, frozen=True):
    """What the whole file says."""

    path: Path
    tls: TlsSettings | None = None
    """None for plain HTTP."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Headers of all answers, in lower case; an empty one is left out even where the agent would set it."""
    users: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    """Bcrypt hashes by user; empty where nobody is asked for a password."""


def read_web_config(path: Path) -> WebConfig:
    """What the file says.

    Raises:
        UsageError: It cannot be read, or says what this server does not know or cannot do; file, key and remedy.
    """
    whole = Section(path, "", read_document(path))
    whole.only(SECTIONS, UNSUPPORTED)
    return WebConfig(path, _tls(whole.section(SECTIONS[0])), _headers(whole.section(SECTIONS[1])), _users(whole))


def _tls(section: Section) -> TlsSettings | None:
    section.only(TLS_KEYS, UNSUPPORTED)
    if not section.names():
        return None
    verify, authority = _client_auth(section), section.file("client_ca_file")
    _check_authority(section, verify, authority)
    oldest, newest = _version(section, "min_version", "TLS12"), _version(section, "max_version", "TLS13")
    if oldest > newest:
        raise section.wrong("min_version", "newer than max_version; swap them")
    return TlsSettings(
        _needed(section, "cert_file"),
        _needed(section, "key_file"),
        verify,
        authority,
        frozenset(section.texts("client_allowed_sans")),
        oldest,
        newest,
        _ciphers(section, oldest),
        section.flag("prefer_server_cipher_suites", default=True),
        _curve(section),
    )


def _needed(section: Section, key: str) -> Path:
    path = section.file(key)
    if path is None:
        raise section.wrong(key, "missing; name a PEM file, or leave out all of tls_server_config for plain HTTP")
    return path


def _client_auth(section: Section) -> ssl.VerifyMode:
    kind = section.text("client_auth_type") or "NoClientCert"
    if kind not in CLIENT_AUTH:
        raise section.wrong("client_auth_type", f"expected one of {', '.join(CLIENT_AUTH)}, not {shown(kind)}")
    verify = CLIENT_AUTH[kind]
    if verify is None:
        remedy = "use RequireAndVerifyClientCert with a client_ca_file"
        raise section.wrong("client_auth_type", f"{kind} takes certificates without verifying them; {remedy}")
    return verify


def _check_authority(section: Section, verify: ssl.VerifyMode, authority: Path | None) -> None:
    if verify != ssl.CERT_NONE and authority is None:
        raise section.wrong("client_ca_file", "missing; name the PEM file of the authority that signs the clients")
    if verify == ssl.CERT_NONE and authority is not None:
        raise section.wrong("client_ca_file", "no client is asked; set client_auth_type: RequireAndVerifyClientCert")
    if verify != ssl.CERT_REQUIRED and section.texts("client_allowed_sans"):
        raise section.wrong("client_allowed_sans", "needs client_auth_type: RequireAndVerifyClientCert")


def _version(section: Section, key: str, default: str) -> ssl.TLSVersion:
    name = section.text(key) or default
    version = VERSIONS.get(name)
    if version is None:
        raise section.wrong(key, f"expected TLS12 or TLS13 (older ones are broken), not {shown(name)}")
    return version


def _ciphers(section: Section, oldest: ssl.TLSVersion) -> tuple[str, ...]:
    """OpenSSL's names; the suites of TLS 1.3 are all on always, as they are in Go."""
    wanted = section.texts("cipher_suites")
    for name in wanted:
        if name not in TLS12_SUITES and name not in TLS13_SUITES:
            known = f"the names are {', '.join((*TLS13_SUITES, *TLS12_SUITES))}"
            raise section.wrong("cipher_suites", f"{shown(name)} is unknown or insecure; {known}")
    ciphers = tuple(TLS12_SUITES[name] for name in wanted if name in TLS12_SUITES)
    if wanted and not ciphers and oldest < ssl.TLSVersion.TLSv1_3:
        raise section.wrong("cipher_suites", "none of them is of TLS 1.2; set min_version: TLS13")
    return ciphers


def _curve(section: Section) -> str:
    wanted = section.texts("curve_preferences")
    for name in wanted:
        if name not in CURVES:
            raise section.wrong("curve_preferences", f"expected one of {', '.join(CURVES)}, not {shown(name)}")
    if len(wanted) > 1:
        raise section.wrong("curve_preferences", "an order of curves is not supported; name one, or leave it out")
    return CURVES[wanted[0]] if wanted else ""


def _headers(section: Section) -> Mapping[str, str]:
    section.only(("http2", "headers"), UNSUPPORTED)
    if section.flag("http2", default=False):
        raise section.wrong("http2", "not supported; set it to false or leave it out")
    headers = section.section("headers")
    for name in headers.names():
        _check_header(headers, name, headers.text(name) or "")
    return MappingProxyType({name.lower(): headers.text(name) or "" for name in headers.names()})


def _check_header(headers: Section, name: str, value: str) -> None:
    if name not in HEADERS:
        raise headers.wrong(name, f"cannot be set; the headers are {', '.join(HEADERS)}")
    allowed = HEADERS[name]
    if value and allowed and value not in allowed:
        raise headers.wrong(name, f"expected {' or '.join(allowed)}, not {shown(value)}")
    if not (value.isascii() and (value.isprintable() or not value)):
        raise headers.wrong(name, "expected printable ASCII")


def _users(whole: Section) -> Mapping[str, bytes]:
    section = whole.section("basic_auth_users")
    found = {}
    for name in section.names():
        if ":" in name or not name.isprintable() or not name:
            raise section.wrong(name, "a user's name is printable and has no colon")
        text = section.text(name) or ""
        # The value is a secret, perhaps the password itself: it is never shown.
        match = HASH.fullmatch(text)
        if not match:
            raise section.wrong(name, "expected a bcrypt hash ($2y$10$...), as `htpasswd -nBC 10 USER` writes it")
        if not MIN_COST <= int(match[1]) <= MAX_COST:
            raise section.wrong(name, f"the cost {match[1]} is not from {MIN_COST} to {MAX_COST}; hash it with 10")
        found[name] = text.encode()
    return MappingProxyType(found)
