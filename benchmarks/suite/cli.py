"""Runs the parts one after another, prints their tables and writes the file of results."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.suite import rivals, setting
from benchmarks.suite.document import Facts, Section, render
from benchmarks.suite.registry import PARTS, MissingPartError, choose, load
from benchmarks.suite.table import Options

RIVALS = ".venv-rivals"


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 1 where a part could not be run, 2 for a wrong option."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        names = choose(arguments.parts)
    except ValueError as error:
        parser.error(str(error))
    date = setting.today()
    out: Path = arguments.out or setting.ROOT / "benchmarks" / "results" / f"{date}-watching.md"
    plots = out.with_suffix("")
    places = None if arguments.rivals == "none" else Path(arguments.rivals).resolve()
    if places is not None:
        rivals.install(places)
    machine = tuple(setting.machine())
    facts = Facts(date, setting.command("benchmarks.suite", argv), machine, rivals.versions(places))
    sections: list[Section] = []
    with TemporaryDirectory(prefix="aipower-bench-") as scratch:
        for section in run(names, Options(Path(scratch), plots, places, quick=arguments.quick)):
            sections.append(section)
            _write(out, plots, facts, sections)  # after each, as the next may never end
    return 0 if len(sections) == len(names) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suite", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases, to see that all works: no figures to keep")
    parser.add_argument("--parts", help=f"some of {', '.join(PARTS)}, with commas between (all)")
    parser.add_argument("--rivals", default=RIVALS, help=f"folder of the rivals' environments, or none ({RIVALS})")
    parser.add_argument("--out", type=Path, help="the file of results (benchmarks/results/DATE-watching.md)")
    return parser


def run(names: Sequence[str], options: Options) -> Iterator[Section]:
    """What each part has found; one that is missing or fails is named on standard error."""
    for name in names:
        before, began_s = setting.load_average(), time.monotonic()
        try:
            tables = load(name)(options)
        except (MissingPartError, RuntimeError, OSError, subprocess.SubprocessError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        for table in tables:
            print(f"\n### {table.title}\n\n{table.markdown()}\n", *(f"- {note}\n" for note in table.notes), sep="")
        yield Section(name, tables, before, setting.load_average(), time.monotonic() - began_s)


def _write(out: Path, plots: Path, facts: Facts, sections: Sequence[Section]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    drawn = sorted(plots.glob("*.svg")) if plots.is_dir() else []
    out.write_text(render(facts, sections, drawn, out.parent))
    print(f"written to {out}", file=sys.stderr)
