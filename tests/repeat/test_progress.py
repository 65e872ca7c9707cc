"""What is drawn on which terminal, and when."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from aipower.run.repeat.figures import figure_of
from aipower.run.repeat.play import Play
from aipower.run.repeat.progress import CLEAR, Progress, Screen, screen_of
from aipower.run.repeat.wording import bar_line, run_line
from repeat.records import record


@dataclass
class Stream(io.StringIO):
    """A stream that says whether it is a terminal."""

    terminal: bool = True
    charset: str = "utf-8"

    def isatty(self) -> bool:
        return self.terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.charset


XTERM = {"TERM": "xterm"}


@pytest.mark.parametrize(
    ("terminal", "environ", "quiet", "hidden", "mode", "alive"),
    [
        (True, XTERM, False, True, "bar", True),
        (True, XTERM, False, False, "lines", True),
        (True, {"TERM": "dumb"}, False, True, "lines", False),
        (True, {}, False, True, "lines", False),
        (True, XTERM, True, True, "none", False),
        (False, XTERM, False, True, "none", False),
    ],
)
def test_screen(terminal: bool, environ: dict[str, str], quiet: bool, hidden: bool, mode: str, alive: bool) -> None:
    screen = screen_of(Stream(terminal), environ, quiet=quiet, hidden=hidden)
    assert (screen.mode, screen.alive) == (mode, alive)


def test_without_a_standard_error_nothing_is_drawn() -> None:
    assert screen_of(None, XTERM, quiet=False, hidden=True).mode == "none"


@pytest.mark.parametrize(
    ("charset", "blocks"), [("utf-8", "━─"), ("ascii", "#."), ("latin-1", "#."), ("no-such", "#.")]
)
def test_bar_has_characters_that_the_terminal_has(charset: str, blocks: str) -> None:
    assert screen_of(Stream(charset=charset), XTERM, quiet=False, hidden=True).blocks == blocks


class Drawing:
    """What a progress has written, in time that the test owns."""

    def __init__(self, screen: Screen) -> None:
        self.now_s = 0.0
        self.written: list[str] = []
        self.progress = Progress(screen, lambda: self.now_s, self.written.append)


BAR = Screen("bar", alive=True, blocks="━─")
LINES = Screen("lines", alive=True, blocks="━─")
DUMB = Screen("lines", alive=False, blocks="━─")
NONE = Screen("none", alive=False, blocks="")


def words(text: str) -> Callable[[int, str], str]:
    return lambda _width, _blocks: text


def test_bar_is_drawn_over_itself_and_cleared_for_a_line() -> None:
    drawing = Drawing(BAR)
    drawing.progress.bar(words("one"))
    drawing.now_s = 1.0
    drawing.progress.bar(words("two"))
    drawing.progress.line("done")
    assert drawing.written == [f"{CLEAR}one", f"{CLEAR}two", CLEAR, "done\n"]


def test_bar_is_drawn_seldom_and_only_when_it_has_changed() -> None:
    drawing = Drawing(BAR)
    for step in range(100):
        drawing.now_s = step / 100
        drawing.progress.bar(words("same" if step < 50 else "other"))
    assert drawing.written == [f"{CLEAR}same", f"{CLEAR}other"]


def test_command_that_may_use_the_terminal_sees_no_bar() -> None:
    drawing = Drawing(LINES)
    drawing.progress.bar(words("bar"))
    drawing.progress.line("[1/3] 10 J")
    assert drawing.written == ["[1/3] 10 J\n"]


def test_pause_is_drawn_between_commands_and_cleared_before_the_next() -> None:
    drawing = Drawing(LINES)
    drawing.progress.pause("cooling down")
    drawing.progress.clear()
    drawing.progress.clear()
    assert drawing.written == [f"{CLEAR}cooling down", CLEAR]


def test_terminal_that_cannot_clear_a_line_gets_whole_lines_only() -> None:
    drawing = Drawing(DUMB)
    drawing.progress.pause("cooling down")
    drawing.progress.bar(words("bar"))
    drawing.progress.line("[1/3] 10 J")
    drawing.progress.clear()
    assert drawing.written == ["[1/3] 10 J\n"]


def test_nothing_at_all_where_nobody_looks() -> None:
    drawing = Drawing(NONE)
    drawing.progress.pause("cooling down")
    drawing.progress.bar(words("bar"))
    drawing.progress.line("[1/3] 10 J")
    drawing.progress.clear()
    assert drawing.written == []


def test_line_of_a_run_tells_the_estimate_and_the_time_left() -> None:
    line = run_line(Play(3, 0, record(811.2, 12.31)), "3/10", figure_of([811.2, 815.0, 810.0]), 86.4)
    assert line == "[3/10] 811.2 J  12.31 s  mean 812.1 J ±0.8 %  about 1 min 26 s left"


def test_line_of_a_run_that_failed_or_was_not_measured() -> None:
    assert run_line(Play(1, 7, record(None, 0.5)), "1/2", None, None) == "[1/2] energy not measured  0.50 s  exit 7"


@pytest.mark.parametrize(("done", "full"), [(-1.0, 0), (0.0, 0), (0.5, 12), (1.0, 24), (2.0, 24)])
def test_bar_is_as_full_as_the_series_is_over(done: float, full: int) -> None:
    line = bar_line("3/10", done, None, None, 100, "#.")
    assert line == f"[3/10] {'#' * full}{'.' * (24 - full)}"


def test_bar_is_cut_to_the_terminal() -> None:
    line = bar_line("3/10", 0.5, figure_of([100.0, 110.0]), 50.0, 60, "#.")
    assert len(line) == 60
    assert bar_line("3/10", 0.5, figure_of([100.0, 110.0]), 50.0, 200, "#.").endswith("  about 50 s left")
