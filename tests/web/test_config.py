"""What a web configuration may say, and what is said of one that is wrong."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aipower.errors import UsageError
from aipower.web.config import TlsSettings, WebConfig, read_web_config

HASH = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze"
PAIR = "tls_server_config:\n  cert_file: a.crt\n  key_file: /keys/a.key\n"


def read(folder: Path, text: str) -> WebConfig:
    path = folder / "web.yml"
    path.write_text(text)
    return read_web_config(path)


def refusal(folder: Path, text: str | bytes) -> str:
    path = folder / "web.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as caught:
        read_web_config(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"{path}:").strip()


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "{}", "tls_server_config:\nbasic_auth_users:\n", "http_server_config: {}"]
)
def test_an_empty_file_is_plain_http_for_everybody(tmp_path: Path, text: str) -> None:
    config = read(tmp_path, text)
    assert (config.tls, dict(config.users), dict(config.headers)) == (None, {}, {})


def test_a_pair_is_enough_and_its_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    tls = read(tmp_path, PAIR).tls
    assert tls == TlsSettings(tmp_path / "a.crt", Path("/keys/a.key"))
    assert tls is not None
    assert (tls.min_version, tls.max_version) == (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def test_everything_at_once(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        f"""
{PAIR}  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.example, "10.0.0.1"]
  min_version: TLS12
  max_version: TLS12
  cipher_suites:
    - TLS_AES_128_GCM_SHA256
    - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
  prefer_server_cipher_suites: false
  curve_preferences: [X25519]
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=31536000
    X-Frame-Options: deny
    Content-Security-Policy:
basic_auth_users:
  on: {HASH}
  "42": {HASH.replace("2y", "2b")}
""",
    )
    assert config.tls == TlsSettings(
        tmp_path / "a.crt",
        Path("/keys/a.key"),
        ssl.CERT_REQUIRED,
        tmp_path / "ca.crt",
        frozenset({"prometheus.example", "10.0.0.1"}),
        ssl.TLSVersion.TLSv1_2,
        ssl.TLSVersion.TLSv1_2,
        ("ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES256-GCM-SHA384"),
        server_prefers=False,
        curve="X25519",
    )
    assert config.headers == {
        "strict-transport-security": "max-age=31536000",
        "x-frame-options": "deny",
        "content-security-policy": "",
    }
    assert set(config.users) == {"on", "42"}
    assert config.users["on"] == HASH.encode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tls_config: {}", 'tls_config: unknown key; did you mean "tls_server_config"?'),
        ("rate_limit: {burst: 1}", "rate_limit: not supported; leave it out"),
        (f"{PAIR}  certfile: x", 'tls_server_config.certfile: unknown key; did you mean "cert_file"?'),
        (f"{PAIR}  key: x", "tls_server_config.key: not supported; write it to a file"),
        ("tls_server_config: {min_version: TLS13}", "tls_server_config.cert_file: missing; name a PEM file"),
        ("tls_server_config: {cert_file: x}", "tls_server_config.key_file: missing"),
        ("tls_server_config: [cert_file]", "tls_server_config: expected keys with values"),
        ("tls_server_config: {cert_file: [x], key_file: y}", "tls_server_config.cert_file: expected text"),
        (f"{PAIR}  client_auth_type: RequireAnyClientCert", "takes certificates without verifying them; use"),
        (f"{PAIR}  client_auth_type: RequestClientCert", "takes certificates without verifying them; use"),
        (f"{PAIR}  client_auth_type: Any", "client_auth_type: expected one of NoClientCert, "),
        (f"{PAIR}  client_auth_type: VerifyClientCertIfGiven", "tls_server_config.client_ca_file: missing"),
        (f"{PAIR}  client_ca_file: x", "no client is asked; set client_auth_type"),
        (f"{PAIR}  client_allowed_sans: [x]", "client_allowed_sans: needs client_auth_type"),
        (f"{PAIR}  client_allowed_sans: x", "client_allowed_sans: expected a list"),
        (f"{PAIR}  min_version: TLS10", 'expected TLS12 or TLS13 (older ones are broken), not "TLS10"'),
        (f"{PAIR}  min_version: TLS13\n  max_version: TLS12", "newer than max_version"),
        (f"{PAIR}  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]", '"TLS_RSA_WITH_RC4_128_SHA" is unknown or insecure'),
        (f"{PAIR}  cipher_suites: [TLS_AES_128_GCM_SHA256]", "none of them is of TLS 1.2; set min_version: TLS13"),
        (f"{PAIR}  curve_preferences: [X25519, CurveP256]", "an order of curves is not supported; name one"),
        (f"{PAIR}  curve_preferences: [x]", "expected one of CurveP256, "),
        (f"{PAIR}  prefer_server_cipher_suites: 1", 'expected true or false, not "1"'),
        ("http_server_config: {http2: true}", "http_server_config.http2: not supported; set it to false"),
        ("http_server_config: {headers: {X-Powered-By: x}}", "headers.X-Powered-By: cannot be set; the headers are"),
        ("http_server_config: {headers: {X-Frame-Options: allow}}", 'expected deny or sameorigin, not "allow"'),
        ('http_server_config: {headers: {X-XSS-Protection: "a\\r\\nb: c"}}', "expected printable ASCII"),
        ("basic_auth_users: {ada: secret}", "basic_auth_users.ada: expected a bcrypt hash"),
        (f"basic_auth_users: {{ada: {HASH.replace('$10$', '$31$')}}}", "the cost 31 is not from 4 to 16"),
        ('basic_auth_users: {"a:b": x}', "basic_auth_users.a:b: a user's name is printable and has no colon"),
        (f"basic_auth_users: {{ada: {HASH}, ada: {HASH}}}", "not valid YAML: 'ada' is there twice"),
        ("a: b: c", "not valid YAML: mapping values are not allowed here"),
        ("- x", "expected keys with values"),
        ("x", "expected keys with values"),
        ("{[a]: b}", "not valid YAML: found unhashable key"),
        ("a: &a [*a]", "not valid YAML: found unconstructable recursive node"),
        ("a: 1\n---\nb: 2", "not valid YAML: but found another document"),
        ("[" * 5000, "not valid YAML: "),
        (b"a: \xff", "not UTF-8 text"),
        (b"a: \0", "not valid YAML: "),
        (b"#" * 2_000_000, "larger than"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line_with_the_remedy(tmp_path: Path, text: str | bytes, says: str) -> None:
    assert says in refusal(tmp_path, text)


def test_a_password_in_the_place_of_its_hash_is_not_shown(tmp_path: Path) -> None:
    assert "hunter2" not in refusal(tmp_path, "basic_auth_users: {ada: hunter2}")
    assert "hunter2" not in refusal(tmp_path, "basic_auth_users: {ada: [hunter2]}")


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for path, says in ((tmp_path / "none", "No such file"), (tmp_path, "not a regular file")):
        with pytest.raises(UsageError, match=says):
            read_web_config(path)


WORDS = st.sampled_from(
    [
        "tls_server_config",
        "cert_file",
        "key_file",
        "client_auth_type",
        "basic_auth_users",
        "http_server_config",
        "headers",
        HASH,
    ]
)
NODES = st.recursive(
    st.text(max_size=8) | WORDS | st.none() | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode(errors="replace"))
    | NODES.map(lambda n: repr(n).encode(errors="replace"))
)
def test_any_file_is_a_configuration_or_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "web.yml"
    path.write_bytes(content)
    try:
        config = read_web_config(path)
    except UsageError as error:
        message = str(error)
    else:
        message = str(config.path)
    assert len(message.splitlines()) == 1
