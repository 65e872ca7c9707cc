"""The runs that are kept: one JSON file each, in a folder of the user's.

`from aipower.store import RunStore, Summary, open_store, runs_folder`. The names are imported when they are asked for:
aipower-run imports aipower.store.writing alone, and must not pay for the rest.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from typing import Any

    from aipower.store.folder import RunStore, open_store, runs_folder
    from aipower.store.summary import Summary

__all__ = ["RunStore", "Summary", "open_store", "runs_folder"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - as PEP 562 has it
    if name not in __all__:
        raise AttributeError(name)
    import importlib  # noqa: PLC0415 - see above

    module = importlib.import_module(f"aipower.store.{'summary' if name == 'Summary' else 'folder'}")
    return getattr(module, name)
