"""`python -m benchmarks.live [--worlds node,large,fast] [--parts ...]`: prints the tables of the results file."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from benchmarks.live.agents import Running, running
from benchmarks.live.browser import Page, chromium
from benchmarks.live.cost import compare, in_percent, requests
from benchmarks.live.gauge import load_average
from benchmarks.live.past import lived
from benchmarks.live.sizes import sizes
from benchmarks.live.world import SHAPES

PAST_S = 330.0
"""As far as the page looks back when it is opened."""
OPENINGS = 5


def say(*cells: object) -> None:
    """A line of a table, or a heading."""
    print(f"| {' | '.join(map(str, cells))} |" if len(cells) > 1 else cells[0], flush=True)


def show_cost(world: str, arguments: argparse.Namespace) -> None:
    """What open pages cost the agent."""
    with surroundings(world, arguments.past, browser=True) as (agent, page):
        turns = f"{arguments.rounds} turns of {arguments.seconds:g} s each"
        say(f"\n### {SHAPES[world].about}: CPU of the agent, {turns}\n")
        say("", "all but the sampling", "sampling")
        say("---", "--:", "--:")
        for name, spread in compare(agent, page, arguments.seconds, arguments.rounds).items():
            say(name, in_percent(spread.other()), in_percent(spread.sampling()))
        say(f"\nLoad average at the end: {load_average():.1f}")


def show_requests(world: str, arguments: argparse.Namespace) -> None:
    """What questions cost the agent."""
    with surroundings(world, arguments.past, browser=False) as (agent, _):
        say(f"\n### {SHAPES[world].about}: CPU of the agent for a question, {arguments.repeats} times\n")
        say("question", "the first after a sample", "again", "bytes")
        say("---", "--:", "--:", "--:")
        for name, answered in requests(agent, arguments.repeats):
            say(name, f"{answered.first_ms:.2f} ms", f"{answered.again_ms:.2f} ms", f"{answered.size_bytes:,}")
        say(f"\nLoad average at the end: {load_average():.1f}")


def show_browser(world: str, arguments: argparse.Namespace) -> None:
    """How the page does in a browser."""
    with surroundings(world, arguments.past, browser=True) as (agent, page):
        assert page is not None
        say(f"\n### {SHAPES[world].about}: the page in Chromium, opened {OPENINGS} times, then watched\n")
        say("", "median (lowest to highest)")
        say("---", "--:")
        openings = [page.open(agent.url) for _ in range(OPENINGS)]
        watched = page.watch(arguments.seconds)
        for name, values in (
            ("first paint", [one.paint_ms for one in openings]),
            ("cards of all devices drawn", [one.figures_ms for one in openings]),
            ("longest task until 3 s later", [one.longest_ms for one in openings]),
        ):
            say(name, f"{statistics.median(values):.0f} ms ({min(values):.0f} to {max(values):.0f})")
        say("then: main thread busy", f"{100 * watched.busy:.1f} %, of which script {100 * watched.script:.1f} %")
        say("longest task", f"{watched.longest_ms:.0f} ms")
        frames = f"{watched.frame_ms:.1f} ms, 99 % within {watched.frame_p99_ms:.1f} ms"
        say("a frame", f"{frames}, {100 * watched.late_frames:.1f} % late")
        say("JavaScript heap", f"{watched.heap_bytes / 1e6:.1f} MB")
        say(f"\nLoad average at the end: {load_average():.1f}")


def show_history(world: str, arguments: argparse.Namespace) -> None:
    """What the history costs the agent."""
    say(f"\n### {SHAPES[world].about}: the history after {arguments.history:g} s\n")
    (with_s, with_bytes), (without_s, without_bytes) = (lived(world, arguments.history, on) for on in ("on", "off"))
    say("", "of the whole process")
    say("---", "--:")
    say("memory", f"{(with_bytes - without_bytes) / 1e6:.1f} MB of {with_bytes / 1e6:.1f} MB")
    say(
        "CPU",
        f"{100 * (with_s - without_s) / arguments.history:.3f} % of a core",
        f"{with_s:.1f} s, {without_s:.1f} s without",
    )


def show_sizes(_world: str, _arguments: argparse.Namespace) -> None:
    """How large the files are; the same for all machines."""
    say("\n### Files of the page\n")
    say("", "files", "plain", "gzip")
    say("---", "--:", "--:", "--:")
    for size in sizes():
        say(size.kind, size.files, f"{size.plain_bytes / 1024:.1f} KiB", f"{size.gzip_bytes / 1024:.1f} KiB")


PARTS: Mapping[str, Callable[[str, argparse.Namespace], None]] = {
    "sizes": show_sizes,
    "requests": show_requests,
    "cost": show_cost,
    "browser": show_browser,
    "history": show_history,
}
ONCE = ("sizes",)


@contextmanager
def surroundings(world: str, past_s: float, *, browser: bool) -> Iterator[tuple[Running, Page | None]]:
    """An agent, and a browser with an empty page if one is wanted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(world, folder, past_s) as agent:
            if not browser:
                yield agent, None
                return
            with chromium(folder / "profile") as page:
                yield agent, page


def main(argv: list[str]) -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--worlds", default=",".join(SHAPES), help="of %(default)s")
    parser.add_argument("--parts", default=",".join(PARTS), help="of %(default)s")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each turn, and of each look at the browser")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each arm")
    parser.add_argument("--repeats", type=int, default=20, help="of each question")
    parser.add_argument("--past", type=float, default=PAST_S, help="seconds that each agent has behind it")
    parser.add_argument("--history", type=float, default=3600.0, help="seconds of the history that is weighed")
    arguments = parser.parse_args(argv)
    worlds = arguments.worlds.split(",")
    for part in arguments.parts.split(","):
        for world in worlds[:1] if part in ONCE else worlds:
            PARTS[part](world, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
