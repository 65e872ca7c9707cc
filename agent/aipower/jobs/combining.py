"""Documents of several nodes as one, and what was used before taken off."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from aipower.errors import AipowerError, UsageError
from aipower.jobs.document import SCHEMA, DeviceUse, Document, JobRow, from_json
from aipower.jobs.sums import shared_j, summed
from aipower.model import UJ_PER_J

MOST_BYTES = 64 << 20


def read_documents(paths: Sequence[str]) -> Document:
    """All documents in `paths`, which are files, or folders of files whose names end in `.json`.

    Raises:
        UsageError: One is not there.
        AipowerError: One cannot be read, or two are of the same node.
    """
    return together([_read(file) for path in paths for file in _files(Path(path))])


def together(documents: Sequence[Document]) -> Document:
    """One document of all nodes.

    Raises:
        AipowerError: Two are of the same node: it would count twice.
    """
    nodes = [node for document in documents for node in document.nodes]
    names = [node.node for node in nodes]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise AipowerError(f"two files are of the node {twice[0]}; name each node's newest only")
    return Document(SCHEMA, tuple(nodes), tuple(job for document in documents for job in document.jobs))


def since(document: Document, before: Document) -> Document:
    """`document` less what was used at the time of `before`, by accounts that have gone on since."""
    past = {_account(job): job for job in before.jobs}
    measured = {node.node: node.measured for node in document.nodes}

    def left(job: JobRow) -> JobRow:
        earlier = past.get(_account(job))
        if earlier is None:
            return job
        uses = tuple(_uses_left(job.devices, earlier.devices))
        whole = summed(uses, measured[job.node])
        return replace(
            job,
            energy_j=whole.energy_j,
            interval_j=whole.interval_j,
            held_s=whole.held_s,
            unused_s=whole.unused_s,
            devices=uses,
        )

    return replace(document, jobs=tuple(left(job) for job in document.jobs))


def _account(job: JobRow) -> tuple[str, str, str, str, str, float | None]:
    """An account that began anew has another beginning."""
    return job.node, job.system, job.job, job.step, job.user, job.since_unix_s


def _uses_left(uses: Iterable[DeviceUse], earlier: Sequence[DeviceUse]) -> Iterator[DeviceUse]:
    known = {use.device: use for use in earlier}
    for use in uses:
        yield _use_left(use, known[use.device]) if use.device in known else use


def _use_left(use: DeviceUse, past: DeviceUse) -> DeviceUse:
    """The errors that are independent are those of the windows since; the scale's go with the energy."""
    energy_uj = max(0, round(use.energy_j * UJ_PER_J) - round(past.energy_j * UJ_PER_J))
    energy_j = energy_uj / UJ_PER_J
    independent_j = math.sqrt(max(0.0, use.independent_j**2 - past.independent_j**2))
    share = energy_j / use.energy_j if use.energy_j > 0 else 1.0
    half_j = math.hypot(independent_j, share * shared_j(use.half_width_j, use.independent_j))
    held_s, unused_s = max(0.0, use.held_s - past.held_s), max(0.0, use.unused_s - past.unused_s)
    return replace(
        use,
        energy_j=energy_j,
        half_width_j=half_j,
        independent_j=independent_j,
        held_s=held_s,
        unused_s=unused_s,
    )


def _files(path: Path) -> Sequence[Path]:
    if not path.exists():
        raise UsageError(f"--from: there is no {path}")
    return sorted(path.glob("*.json")) if path.is_dir() else [path]


def _read(path: Path) -> Document:
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES)
    except OSError as error:
        raise AipowerError(f"{path} cannot be read: {error.strerror or error}") from error
    return from_json(text, str(path))
