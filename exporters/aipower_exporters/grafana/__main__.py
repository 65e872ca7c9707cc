"""Write the dashboards to a folder, or the list of their panels to standard output."""

from __future__ import annotations

import argparse
from pathlib import Path

from aipower_exporters.grafana.catalogue import dashboards
from aipower_exporters.grafana.listing import listing
from aipower_exporters.grafana.rendering import text


def main() -> None:
    """`python -m aipower_exporters.grafana DIR` writes the files, `--list` the list."""
    parser = argparse.ArgumentParser(prog="python -m aipower_exporters.grafana", description=__doc__)
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "directory", nargs="?", type=Path, metavar="DIR", help="where NAME.json of each dashboard goes"
    )
    target.add_argument("--list", action="store_true", help="print the list of docs/grafana.md")
    chosen = parser.parse_args()
    if chosen.list:
        print(listing(), end="")
        return
    try:
        write(chosen.directory)
    except OSError as error:
        parser.error(f"cannot write to {chosen.directory}: {error.strerror}; name a folder of yours")


def write(directory: Path) -> None:
    """Write `UID.json` of each dashboard to `directory`, which is made where it is missing."""
    directory.mkdir(parents=True, exist_ok=True)
    for dashboard in dashboards():
        (directory / f"{dashboard.uid}.json").write_text(text(dashboard), encoding="utf-8")


if __name__ == "__main__":
    main()
