from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import UsageError
from aipower.settings.config import AgentConfig, describe, find_mistakes, load_config
from aipower.settings.options import LOG_LEVELS, OPTIONS

SHIPPED = Path(__file__).parents[2] / "config" / "aipower.toml"
NOTHING: Mapping[str, str] = {}


def written(directory: Path, text: str | bytes) -> Path:
    path = directory / "aipower.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path | None, environ: Mapping[str, str] = NOTHING, flags: Mapping[str, str] = NOTHING) -> str:
    with pytest.raises(UsageError) as caught:
        load_config(path, environ, flags)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.exit_code == 2
    return message


# --- layers ---


def test_without_anything_it_is_the_defaults() -> None:
    assert load_config(None, {}, {}) == AgentConfig()


def test_the_options_are_the_fields() -> None:
    assert [*OPTIONS, "sinks"] == [field.name for field in fields(AgentConfig)]


def test_each_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    path = written(tmp_path, 'interval_s = 2\nretention_s = 20.5\nmax_processes = 7\nsensors = "nvml"\n')
    environ = {"AIPOWER_RETENTION_S": "30", "AIPOWER_MAX_PROCESSES": "8", "HOME": "/root"}
    config = load_config(path, environ, {"max_processes": "9"})
    assert config == AgentConfig(interval_s=2.0, retention_s=30.0, max_processes=9, sensors="nvml")


def test_all_keys_can_be_set_in_all_three_ways(tmp_path: Path) -> None:
    config = AgentConfig(
        "[::1]:1",
        "nvml,rapl",
        0.5,
        2.5,
        60.0,
        3,
        4,
        5,
        "off",
        "off",
        20.0,
        "/s",
        "none",
        "/w.yml",
        "off",
        700.0,
        "/r",
        "name",
        "debug",
        "json",
    )
    texts = {key: str(value) for key, value in asdict(config).items() if key in OPTIONS}
    assert load_config(written(tmp_path, describe(config)), {}, {}) == config
    assert load_config(None, {f"AIPOWER_{key.upper()}": text for key, text in texts.items()}, {}) == config
    assert load_config(None, {}, texts) == config


@pytest.mark.parametrize("field", fields(AgentConfig), ids=lambda field: field.name)
def test_a_value_has_the_type_of_its_field(tmp_path: Path, field: object) -> None:
    path = written(tmp_path, "interval_s = 2\nprocess_interval_s = 5\nretention_s = 7\nmax_processes = 1\n")
    name = getattr(field, "name", "")
    assert type(getattr(load_config(path, {}, {}), name)) is type(getattr(AgentConfig(), name))


def test_an_empty_variable_counts_as_unset() -> None:
    assert load_config(None, {"AIPOWER_INTERVAL_S": ""}, {}) == AgentConfig()


def test_variables_of_other_parts_are_none_of_its_business() -> None:
    environ = {"AIPOWER_UPDATE_GOLDEN": "1", "AIPOWER_RUN_ID": "r", "AIPOWER_": "x"}
    assert load_config(None, environ, {}) == AgentConfig()


# --- wrong keys ---


def test_an_unknown_key_of_the_file_names_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path, "intervall_s = 1\n")
    assert refusal(path) == f'{path}:1: unknown key "intervall_s"; did you mean "interval_s"?'


def test_an_unknown_key_like_no_other_lists_the_keys(tmp_path: Path) -> None:
    path = written(tmp_path, "colour = 1\n")
    message = refusal(path)
    assert message.startswith(f'{path}:1: unknown key "colour"; the keys are listen, sensors, ')


def test_a_table_and_a_key_with_a_line_end_are_unknown_keys_in_one_line(tmp_path: Path) -> None:
    assert 'unknown key "agent"' in refusal(written(tmp_path, "[agent]\ninterval_s = 1\n"))
    assert r'unknown key "a\nb"' in refusal(written(tmp_path, '"a\\nb" = 1\n'))


def test_a_misspelt_variable_is_named_with_the_right_one() -> None:
    message = refusal(None, {"AIPOWER_INTERVALL_S": "1"})
    assert message == 'unknown variable "AIPOWER_INTERVALL_S"; did you mean AIPOWER_INTERVAL_S?'


def test_an_unknown_flag_names_the_nearest() -> None:
    assert refusal(None, flags={"sensor": "auto"}) == 'unknown option --sensor; did you mean "sensors"?'


# --- wrong values ---

BAD_TEXTS = [
    ("listen", "localhost", "the port is missing; expected HOST:PORT"),
    ("sensors", "nvml,rapel", 'unknown sensor "rapel", did you mean "rapl"?'),
    ("sensors", ",", "no sensor named; expected auto, fake, fake:N"),
    ("interval_s", "0.019", "seconds from 0.02 to 60"),
    ("interval_s", "60.1", "seconds from 0.02 to 60"),
    ("interval_s", "nan", "seconds from 0.02 to 60"),
    ("interval_s", "fast", "seconds from 0.02 to 60"),
    ("process_interval_s", "inf", "not fewer than interval_s"),
    ("retention_s", "-1", "seconds from 0"),
    ("max_processes", "0", "a whole number from 1 to 100000"),
    ("max_processes", "100001", "a whole number from 1 to 100000"),
    ("max_processes", "1.5", "a whole number from 1 to 100000"),
    ("max_processes", "9" * 5000, "a whole number from 1 to 100000"),
    ("max_runs", "0", "a whole number from 1 to 100000"),
    ("flush_interval_s", "0.9", "seconds from 1 to 3600"),
    ("state_dir", "state", 'an absolute path, "auto", or "none"'),
    ("state_dir", "/" + "a" * 4095, "an absolute path"),
    ("socket", "/" + "a" * 107, "of at most 107 bytes"),
    ("web_config", "web.yml", "an absolute path"),
    ("user_labels", "all", "one of uid, name, none"),
    ("log_format", "xml", "one of auto, text, json"),
    ("log_level", "loud", "one of debug, info, warning, error"),
]


@pytest.mark.parametrize(("key", "text", "expected"), BAD_TEXTS)
def test_a_wrong_variable_is_named_with_what_is_expected(key: str, text: str, expected: str) -> None:
    message = refusal(None, {f"AIPOWER_{key.upper()}": text})
    assert message.startswith(f'AIPOWER_{key.upper()}="{text[:60]}')
    assert expected in message
    # These two say themselves what is wrong with the value.
    assert key in {"listen", "sensors"} or f": expected {OPTIONS[key].expected}" in message
    assert len(message) < 250


@pytest.mark.parametrize(("key", "text", "expected"), [*BAD_TEXTS, ("log_level", "", "one of debug")])
def test_a_wrong_flag_is_named_with_what_is_expected(key: str, text: str, expected: str) -> None:
    message = refusal(None, flags={key: text})
    assert message.startswith(f'--{key.replace("_", "-")} "{text[:60]}')
    assert expected in message
    # These two say themselves what is wrong with the value.
    assert key in {"listen", "sensors"} or f": expected {OPTIONS[key].expected}" in message


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("interval_s = 0.001", "interval_s = 0.001"),
        ('interval_s = "1.0"', 'interval_s = "1.0"'),
        ("interval_s = true", "interval_s = true"),
        ("interval_s = 1" + "0" * 400, "interval_s = 1000"),
        ("interval_s = [1]", "interval_s = [1]"),
        ("interval_s = 2026-11-23", 'interval_s = "2026-11-23"'),
        ("max_processes = 10.0", "max_processes = 10.0"),
        ("max_processes = 1" + "0" * 400, "max_processes = 1000"),
        ("max_processes = false", "max_processes = false"),
        ("listen = 9877", "listen = 9877"),
        ("log_level = {a = 1}", 'log_level = {"a": 1}'),
    ],
)
def test_a_wrong_value_of_the_file_is_named_with_what_is_expected(tmp_path: Path, line: str, shown: str) -> None:
    path = written(tmp_path, f"{line}\n")
    message = refusal(path)
    assert message.startswith(f"{path}:1: {shown}")
    assert f": expected {OPTIONS[line.split(maxsplit=1)[0]].expected}" in message


@pytest.mark.parametrize("key", ["interval_s", "process_interval_s"])
@pytest.mark.parametrize("value", ["0.02", "5", "1e0", " 3 "])
def test_good_numbers_in_all_spellings(key: str, value: str) -> None:
    flags = {"interval_s": "0.02", "process_interval_s": "60"}
    assert getattr(load_config(None, {}, {**flags, key: value}), key) == float(value)


def test_processes_cannot_be_looked_at_more_often_than_sensors(tmp_path: Path) -> None:
    path = written(tmp_path, "process_interval_s = 0.5\n")
    assert refusal(path) == (
        f"{path}:1: process_interval_s = 0.5: expected seconds, not fewer than interval_s"
        " (the default interval_s = 1.0)"
    )
    # Where nobody set it, it follows.
    assert load_config(None, {}, {"interval_s": "10"}).process_interval_s == 10.0
    assert load_config(path, {"AIPOWER_INTERVAL_S": "0.5"}, {}).process_interval_s == 0.5


# --- files ---


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    assert refusal(path) == f"{path}: cannot read the configuration: No such file or directory"


def test_a_directory_is_an_error(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}: cannot read the configuration: not a regular file"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"listen = \n", "not valid TOML: Invalid value (at line 1, column 10)"),
        (b"# fine\ninterval_s 1\n", "(at line 2, column 12)"),
        (b'\n\nlisten = "127', "(at line 3, the end of the file)"),
        (b"interval_s = 1\ninterval_s = 2\n", "(at line 2, column 15)"),
        (b"interval_s = " + b"[" * 8_000, "not valid TOML"),
        (b"max_processes = " + b"9" * 5000, "not valid TOML"),
    ],
)
def test_what_is_no_toml_is_refused_with_the_line(tmp_path: Path, text: bytes, why: str) -> None:
    path = written(tmp_path, text)
    message = refusal(path)
    assert message.startswith(f"{path}: not valid TOML: ")
    assert why in message


def test_a_file_that_is_no_text_is_refused_with_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, b'interval_s = 1\nsensors = "\xff"\n')
    assert refusal(path) == f"{path}:2: not UTF-8 text"


def test_the_line_of_a_key_is_the_one_that_sets_it(tmp_path: Path) -> None:
    text = '# interval_s = 1\nlisten = """\ninterval_s = 2\n"""\n\n  interval_s = 90\n[sensors]\na = 1\n'
    path = written(tmp_path, text)
    first, second, third = find_mistakes(path, {}, {})
    assert first.startswith(f"{path}:2: listen = ")
    assert second.startswith(f"{path}:6: interval_s = 90: expected")
    assert third.startswith(f"{path}:7: sensors = ")


def test_all_mistakes_are_found_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "interval = 1\nmax_runs = 0\nretention_s = 3\n")
    mistakes = find_mistakes(path, {"AIPOWER_LOG_LEVEL": "loud"}, {"interval_s": "10", "process_interval_s": "5"})
    assert [mistake.partition(": ")[0] for mistake in mistakes] == [
        f"{path}:2",
        f"{path}:1",
        'AIPOWER_LOG_LEVEL="loud"',
        '--process-interval-s "5"',
    ]
    assert 'did you mean "interval_s"' in mistakes[1]
    assert refusal(path) == mistakes[0]


def test_a_wrong_interval_is_not_also_compared(tmp_path: Path) -> None:
    path = written(tmp_path, "interval_s = 90\nprocess_interval_s = 0.5\n")
    assert len(find_mistakes(path, {}, {})) == 1


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"key{number} = 1\n" for number in range(5000)),
        "interval_s" + ".a" * 4000 + " = 1\n",
        ("interval_s" + ".b" * 30_000 + " = 1\n"),
        'x = """\n' + "interval_s = 1\n" * 4000 + '"""\ninterval_s = 99\n',
        "x = 1\n" * 100_000,
    ],
    ids=["keys", "parts", "line", "in a string", "long"],
)
def test_hostile_files_are_refused_in_a_few_short_lines(tmp_path: Path, text: str) -> None:
    mistakes = find_mistakes(written(tmp_path, text), {}, {})
    assert 1 <= len(mistakes) <= 21
    assert all(len(mistake) < 700 and "\n" not in mistake for mistake in mistakes)


@given(st.binary(max_size=300) | st.text("abis_=.1\"'[]#\n \t{}\\é", max_size=60).map(str.encode))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = written(tmp_path_factory.mktemp("config"), content)
    mistakes = find_mistakes(path, {}, {})
    assert all(str(path) in mistake and "\n" not in mistake for mistake in mistakes)
    if not mistakes:
        load_config(path, {}, {})


# --- the shipped file and describe ---


def uncommented(text: str) -> dict[str, object]:
    return tomllib.loads(re.sub(r"(?m)^#(?=\w+ = )", "", text))


def test_the_shipped_file_shows_every_key_with_its_default() -> None:
    shown = uncommented(SHIPPED.read_text(encoding="utf-8"))
    defaults = {key: value for key, value in asdict(AgentConfig()).items() if key in OPTIONS}
    assert shown == defaults
    assert {key: type(value) for key, value in shown.items()} == {key: type(value) for key, value in defaults.items()}


def test_the_shipped_file_changes_nothing_as_it_is() -> None:
    assert load_config(SHIPPED, {}, {}) == AgentConfig()


@pytest.mark.parametrize("key", list(OPTIONS))
def test_the_shipped_file_explains_every_key_right_above_it(key: str) -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith(f"#{key} = "))
    assert lines[place - 1].startswith("# ")
    assert lines[place - 1].endswith(".")


CONFIGS = st.builds(
    AgentConfig,
    listen=st.sampled_from(("127.0.0.1:9877", "[::1]:0", "node-1:80")),
    sensors=st.sampled_from(("auto", "fake", "fake:8", "nvml", "rapl", "nvml,rapl")),
    interval_s=st.floats(0.02, 60.0),
    process_interval_s=st.floats(60.0, 1e6),
    retention_s=st.floats(0.0, 1e6),
    max_processes=st.integers(1, 100_000),
    state_dir=st.sampled_from(("auto", "none", "/ä b/\x7f")),
    log_level=st.sampled_from(LOG_LEVELS),
)


@given(CONFIGS)
def test_what_is_described_is_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, config: AgentConfig
) -> None:
    path = tmp_path_factory.mktemp("config") / "aipower.toml"
    path.write_text(describe(config), encoding="utf-8")
    assert load_config(path, {}, {}) == config


def test_a_description_has_one_line_for_each_key() -> None:
    text = describe(replace(AgentConfig(), sensors='a"\\\x7f'))
    assert [line.partition(" = ")[0] for line in text.splitlines()] == list(OPTIONS)
    assert tomllib.loads(text)["sensors"] == 'a"\\\x7f'


WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.dictionaries(st.sampled_from([f"AIPOWER_{key.upper()}" for key in OPTIONS]) | WORDS, WORDS))
def test_any_environment_is_read_or_refused_in_one_line(environ: dict[str, str]) -> None:
    try:
        config = load_config(None, environ, {})
    except UsageError as error:
        message = str(error)
    else:
        message = describe(config).splitlines()[0]
        assert config.process_interval_s >= config.interval_s
    assert len(message.splitlines()) == 1


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "aipower.toml"
    path.write_bytes(b"\xef\xbb\xbfinterval_s = 2.0\n")
    assert load_config(path, {}, {}).interval_s == 2.0


def test_a_fifo_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").endswith("not a regular file")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_system_file_that_may_not_be_looked_at_is_one_line(tmp_path: Path) -> None:
    """Its folder is closed to us: neither absent nor a traceback."""
    closed = tmp_path / "etc"
    closed.mkdir(mode=0o700)
    (closed / "aipower.toml").write_text("interval_s = 2\n")
    code = (
        "import os, sys; from pathlib import Path; import aipower.settings.config as c\n"
        "os.setuid(65534); path = Path(sys.argv[1])\n"
        "print(c._is_there(path), c._is_there(path / 'no' / 'such'))\n"
        "try: c.load_config(path, {}, {})\n"
        "except c.UsageError as error: print(error)"
    )
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", code, str(closed / "aipower.toml")], capture_output=True, text=True, check=False
    )
    first, second = done.stdout.splitlines()
    assert first == "True True"
    assert second.endswith("cannot read the configuration: Permission denied")
