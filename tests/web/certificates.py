"""Certificates for the tests of TLS, made by the openssl command."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    cert: Path
    key: Path

    def replace_from(self, other: Pair) -> None:
        """Put `other` in its place, as those who renew certificates do: each file at once."""
        for old, new in ((self.cert, other.cert), (self.key, other.key)):
            fresh = old.with_name(f"{old.name}.new")
            fresh.write_bytes(new.read_bytes())
            fresh.replace(old)


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def make_authority(folder: Path, name: str = "ca") -> Pair:
    """An authority."""
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    _openssl("req", "-x509", *CURVE, "-keyout", pair.key, "-out", pair.cert, "-subj", f"/CN={name}", "-days", "2")
    return pair


def make_pair(folder: Path, authority: Pair, name: str, sans: str) -> Pair:
    """A certificate for `sans`, such as `DNS:localhost,IP:127.0.0.1`, that `authority` has signed."""
    pair, request = Pair(folder / f"{name}.crt", folder / f"{name}.key"), folder / f"{name}.csr"
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={sans}\n")
    _openssl("req", "-new", *CURVE, "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}")
    _openssl(
        "x509", "-req", "-in", request, "-CA", authority.cert, "-CAkey", authority.key, "-CAcreateserial",
        "-extfile", extensions, "-days", "2", "-out", pair.cert,
    )  # fmt: skip
    return pair


def client_context(authority: Pair, own: Pair | None = None) -> ssl.SSLContext:
    """What a client that trusts `authority` uses, with its `own` certificate."""
    context = ssl.create_default_context(cafile=str(authority.cert))
    if own is not None:
        context.load_cert_chain(own.cert, own.key)
    return context
