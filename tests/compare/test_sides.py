from __future__ import annotations

from pathlib import Path

from aipower.compare.sides import sides_of
from aipower.runrecord import to_json
from aipower.store import RunStore
from compare.records import gpu_runs


def test_words_are_those_of_the_store(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    for one in [*gpu_runs("base", [1.0, 2.0]), *gpu_runs("fast", [3.0])]:
        (tmp_path / f"{one.run_id}.json").write_bytes(to_json(one))
    paths = [str(tmp_path / f"{name}.json") for name in ("base-0", "base-1", "fast-0")]
    base, fast = sides_of([f"{paths[0]},{paths[1]}", paths[2]], store)
    assert (base.label, fast.label) == ("base", "fast")
    assert [run.run_id for run in base.runs] == ["base-0", "base-1"]


def test_labels_that_would_be_alike_stay_the_words(tmp_path: Path) -> None:
    paths = []
    for one in gpu_runs("same", [1.0, 2.0]):
        path = tmp_path / f"{one.run_id}.json"
        path.write_bytes(to_json(one))
        paths.append(str(path))
    sides = sides_of(paths, RunStore(tmp_path / "runs"))
    assert [one.label for one in sides] == paths
