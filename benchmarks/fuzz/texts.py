"""Settings that are wrong in many ways, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from aipower.settings.config import AgentConfig, describe
from aipower.settings.options import OPTIONS

HASH = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze"
VALUES = (
    "1", "-1", "0", "0.02", "1e400", "nan", "inf", "-inf", "", " ", "auto", "none", "fake", "fake:2", "nvml,rapl",
    "127.0.0.1:9877", "[::1]:0", "[", ":", "a:b", "9" * 5000, "/", "/x", "/\0", "/" + "a" * 5000, "\ud800", "\udcff",
    "name", "uid", "debug", "json", "٣", "1_000", "0x10", "1\n2", "\x1b[31m", "é", "true", "[]", "{}",
    "\x7f", "\u2028",
)  # fmt: skip
TOML_PIECES = (
    b"=", b"[", b"]", b"[[", b"{", b"}", b'"""', b"'''", b"'", b'"', b"#", b"\\u0000", b"\\U00110000", b".", b"\n",
    b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"1979-05-27T07:32:00Z", b"inf", b"0x", b"1_0", b"true", b",",
    b"\xed\xa0\x80", b"a." * 50, b"[" * 300, b"9" * 5000, b"interval_s = 2\n", b"interval_s.x = 1\n", b"[listen]\n",
)  # fmt: skip
YAML_PIECES = (
    b": ", b"- ", b"? ", b"&a ", b"*a", b"!!python/object:os.system ", b"!!binary ", b"|\n", b">\n", b"{", b"}", b"[",
    b"]", b"<<: *a\n", b"---\n", b"...\n", b"%YAML 9.9\n", b"\t", b"\0", b"\xff", b"\xfe\xff", b"'", b'"', b"#", b"\n",
    b"  ", b"tls_server_config:\n", b"basic_auth_users:\n", b"{" * 300, b"- " * 300, b"&x [*x, *x]",
    b"9" * 5000, b"\xc2\x85",
)  # fmt: skip
WEB = (
    f"""tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.example, "10.0.0.1"]
  min_version: TLS12
  max_version: TLS13
  cipher_suites:
    - TLS_AES_128_GCM_SHA256
    - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
  prefer_server_cipher_suites: false
  curve_preferences: [X25519]
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=31536000
    X-Frame-Options: deny
basic_auth_users:
  on: {HASH}
""",
    f"basic_auth_users:\n  ada: {HASH}\n  eve: {HASH.replace('2y', '2b')}\n",
    "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n",
    "http_server_config:\n  headers:\n    X-Content-Type-Options: nosniff\n",
)


def toml(dice: random.Random) -> bytes:
    """A configuration file."""
    return _spoilt(dice, _toml_seed(dice), TOML_PIECES)


def web(dice: random.Random) -> bytes:
    """A web configuration."""
    return _spoilt(dice, dice.choice(WEB).encode(), YAML_PIECES)


def environment(dice: random.Random) -> dict[str, str]:
    """Variables, most of them meant for aipower."""
    return {_variable(dice): _value(dice) for _ in range(dice.randrange(1, 5))}


def words(dice: random.Random) -> list[str]:
    """A command line behind `aipower config`."""
    found = [dice.choice(["show", "check"])] if dice.random() < 0.5 else []
    for _ in range(dice.randrange(4)):
        flag = f"--{_key(dice).replace('_', '-')}"
        found += [f"{flag}={_value(dice)}"] if dice.random() < 0.5 else [flag, _value(dice)]
    if dice.random() < 0.2:
        found.insert(dice.randrange(len(found) + 1), dice.choice(["--", "-", "--help", "-x", "--version", "é", ""]))
    return found


def _toml_seed(dice: random.Random) -> bytes:
    if dice.random() < 0.3:
        return describe(AgentConfig()).encode()
    keys = dice.sample(list(OPTIONS), dice.randrange(1, 6))
    lines = [f"{key} = {_toml_value(dice)}" for key in keys]
    return "\n".join(lines).encode("utf-8", "surrogatepass") + b"\n"


def _toml_value(dice: random.Random) -> str:
    value = _value(dice)
    return value if dice.random() < 0.5 else "'" + value.replace("'", "") + "'"


def _value(dice: random.Random) -> str:
    if dice.random() < 0.1:
        return "".join(
            chr(dice.choice((dice.randrange(1, 128), dice.randrange(1, 0x110000)))) for _ in range(dice.randrange(9))
        )
    return dice.choice(VALUES)


def _key(dice: random.Random) -> str:
    key = dice.choice(list(OPTIONS))
    if dice.random() < 0.2:
        place = dice.randrange(len(key))
        key = key[:place] + dice.choice(["", "x", "_", "\0", "é"]) + key[place + dice.randrange(2) :]
    return key


def _variable(dice: random.Random) -> str:
    return dice.choice(["AIPOWER_", "AIPOWER_", "AIPOWER_", "aipower_", ""]) + _key(dice).upper()


def _spoilt(dice: random.Random, seed: bytes, pieces: Sequence[bytes]) -> bytes:
    """`seed` with bytes changed, pieces put in, lines moved or repeated; now and then as it is, or noise alone."""
    if dice.random() < 0.03:
        return dice.randbytes(dice.randrange(300))
    text = bytearray(seed)
    for _ in range(dice.randrange(5)):
        place = dice.randrange(len(text) + 1)
        match dice.randrange(5):
            case 0:
                text[place : place + 1] = dice.randbytes(1)
            case 1:
                text[place : place + dice.randrange(9)] = dice.choice(pieces)
            case 2:
                del text[place : place + dice.randrange(40)]
            case 3:
                lines = text.split(b"\n")
                dice.shuffle(lines)
                text = bytearray(b"\n".join(lines))
            case _:
                text[place:place] = text[place : place + dice.randrange(60)] * dice.randrange(1, 4)
    return bytes(text)
