import math

import pytest

from aipower.errors import UsageError
from aipower.run.repeat.options import SeriesOptions, parse_cool_down, parse_output

COMMAND = ("true",)


def test_defaults_are_those_of_the_manual() -> None:
    options = SeriesOptions(COMMAND, 10)
    assert (options.warmup, options.prepare, options.cool_down, options.output) == (0, None, "auto", "inherit")
    assert not options.keep_going


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"repetitions": 0}, "-r 0"),
        ({"repetitions": -3}, "-r -3"),
        ({"repetitions": 10_001}, "-r 10001"),
        ({"warmup": -1}, "--warmup -1"),
        ({"warmup": 10_001}, "--warmup 10001"),
        ({"cool_down": -0.5}, "--cool-down -0.5"),
        ({"cool_down": math.nan}, "--cool-down nan"),
        ({"cool_down": math.inf}, "--cool-down inf"),
        ({"cool_down": 3601.0}, "--cool-down 3601"),
        ({"cool_down": "on"}, "--cool-down on"),
        ({"output": "file"}, "--output file"),
        ({"command": ()}, "no command"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(wrong: dict[str, object], told: str) -> None:
    values: dict[str, object] = {"command": COMMAND, "repetitions": 3, **wrong}
    with pytest.raises(UsageError) as caught:
        SeriesOptions(**values)  # type: ignore[arg-type]
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "value"), [("auto", "auto"), ("off", "off"), ("0", 0.0), ("2.5", 2.5), ("1e1", 10.0)]
)
def test_cool_down_is_a_word_or_seconds(word: str, value: object) -> None:
    assert parse_cool_down(word) == value


@pytest.mark.parametrize("word", ["", "on", "-1", "nan", "inf", "3601", "5s", "AUTO"])
def test_other_cool_downs_are_refused(word: str) -> None:
    with pytest.raises(UsageError, match="must be auto, off, or from 0 to 3600 seconds"):
        parse_cool_down(word)


def test_output_is_one_of_two_words() -> None:
    assert parse_output("null") == "null"
    assert parse_output("inherit") == "inherit"
    with pytest.raises(UsageError, match="--output pipe: must be inherit or null"):
        parse_output("pipe")


@pytest.mark.parametrize(
    ("passed", "sensors", "simulated"),
    [
        ((), "auto", False),
        (("--no-agent", "--sensors", "fake:2"), "fake:2", True),
        (("--sensors=nvml,rapl",), "nvml,rapl", False),
        (("--sensors=fake", "--sensors", "rapl"), "rapl", False),
        (("--metric", "fake=1"), "auto", False),
    ],
)
def test_sensors_are_read_from_the_options_of_the_single_run(
    passed: tuple[str, ...], sensors: str, simulated: bool
) -> None:
    options = SeriesOptions(COMMAND, 3, passed=passed)
    assert (options.sensors, options.simulated) == (sensors, simulated)
