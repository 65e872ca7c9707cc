"""TLS as the web configuration wants it."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from aipower.errors import UsageError
from aipower.web.config import TlsSettings


def make_context(config: Path, settings: TlsSettings) -> ssl.SSLContext:
    """The context of new connections; `config` is the file to name in errors.

    Raises:
        UsageError: A certificate or a key cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = settings.min_version, settings.max_version
    context.set_alpn_protocols(["http/1.1"])
    # A client may make the server begin the costly handshake anew, as often as it likes, in TLS 1.2.
    context.options |= ssl.OP_NO_RENEGOTIATION
    _choose(context, settings)
    _load_pair(config, context, settings)
    if settings.client_ca_file is not None:
        _load_authority(config, context, settings.client_ca_file)
        context.verify_mode = settings.verify
        # A session that is resumed is not verified again, though its certificate may have ended. This is for tickets;
        # Python cannot turn off OpenSSL's cache of the sessions of TLS 1.2, see `unverified`.
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
    return context


def unverified(connection: ssl.SSLObject) -> bool:
    """True where the client's certificate has to be verified and was so only in an earlier connection."""
    return connection.context.verify_mode != ssl.CERT_NONE and bool(connection.session_reused)


def names_of(certificate: Mapping[str, object]) -> Iterator[str]:
    """The names that a verified certificate (as `ssl` describes it) is for: hosts, addresses, mail addresses, URIs."""
    names = certificate.get("subjectAltName", ())
    for kind, value in names if isinstance(names, tuple) else ():
        if kind == "IP Address":
            # OpenSSL writes 2001:DB8:0:0:0:0:0:1.
            yield str(ipaddress.ip_address(value.strip()))
        elif kind in {"DNS", "email", "URI"}:
            yield value


def _choose(context: ssl.SSLContext, settings: TlsSettings) -> None:
    if settings.ciphers:
        context.set_ciphers(":".join(settings.ciphers))
    if settings.curve:
        context.set_ecdh_curve(settings.curve)
    if settings.server_prefers:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE


def _load_pair(config: Path, context: ssl.SSLContext, settings: TlsSettings) -> None:
    _check_readable(config, "cert_file", settings.cert_file)
    _check_readable(config, "key_file", settings.key_file)

    def refuse() -> str:
        remedy = "an agent cannot ask for a password; decrypt it with `openssl pkey`"
        raise _wrong(config, "key_file", settings.key_file, f"the key is encrypted; {remedy}")

    try:
        context.load_cert_chain(settings.cert_file, settings.key_file, refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise _wrong(config, "key_file", settings.key_file, f"not the key of {settings.cert_file}") from error
        what = f"no PEM certificate, or no key in {settings.key_file}"
        raise _wrong(config, "cert_file", settings.cert_file, f"{what} ({error.reason or error})") from error
    except OSError as error:
        raise _wrong(config, "cert_file", settings.cert_file, error.strerror or str(error)) from error


def _load_authority(config: Path, context: ssl.SSLContext, authority: Path) -> None:
    _check_readable(config, "client_ca_file", authority)
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError as error:
        raise _wrong(config, "client_ca_file", authority, f"no PEM certificate ({error.reason or error})") from error
    except OSError as error:
        raise _wrong(config, "client_ca_file", authority, error.strerror or str(error)) from error


def _check_readable(config: Path, key: str, path: Path) -> None:
    """OpenSSL would wait for a pipe, and does not say which of two files it cannot read."""
    try:
        if not path.is_file() and path.exists():
            raise _wrong(config, key, path, "not a regular file")
        with path.open("rb"):
            pass
    except OSError as error:
        raise _wrong(config, key, path, error.strerror or str(error)) from error


def _wrong(config: Path, key: str, path: Path, why: str) -> UsageError:
    return UsageError(f"{config}: tls_server_config.{key}: {path}: {why}")
