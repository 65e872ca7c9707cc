"""How users are shown in metrics: by number unless the administrator says otherwise."""

from __future__ import annotations

from collections.abc import Callable

from aipower.processes.table import user_name


def user_labels(setting: str) -> Callable[[int], str]:
    """What a user of a number is called under the setting `user_labels`: uid, name or none."""
    if setting == "name":
        return user_name
    return str if setting == "uid" else lambda _uid: ""
