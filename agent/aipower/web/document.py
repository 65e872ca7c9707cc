"""Reads a small YAML file as it was written: every scalar is text, nothing is guessed, nothing is there twice."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

from aipower.errors import UsageError

MAX_BYTES = 1 << 20
"""A file of settings is a few kilobytes; whatever is larger is another file."""


def read_document(path: Path) -> object:
    """What the file says: mappings, lists and text; empty text where it says nothing.

    Raises:
        UsageError: It cannot be read or is not YAML, in one line with the place.
    """
    text = _text(path)
    # PyYAML is only loaded where somebody has such a file.
    import yaml  # noqa: PLC0415 - costs 15 ms and 1 MB

    try:
        return _parse(text)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{path}{line}: not valid YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error


def _text(path: Path) -> str:
    try:
        if not path.is_file() and path.exists():
            raise UsageError(f"{path}: cannot read the web configuration: not a regular file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}: cannot read the web configuration: {why}") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"{path}: larger than {MAX_BYTES} bytes: no web configuration")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}:{line}: not UTF-8 text") from error


def _parse(text: str) -> object:
    import yaml  # noqa: PLC0415 - see read_document

    class Loader(yaml.BaseLoader):
        """Leaves all scalars as text: no user is called True because his name is `on`."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 - as PyYAML's own
            seen = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    raise yaml.MarkedYAMLError(problem=f"{key.value!r} is there twice", problem_mark=key.start_mark)
                seen.add(str(key.value))
            return super().construct_mapping(node, deep)

    loader = Loader(text)
    try:
        return loader.get_single_data() or ""
    finally:
        loader.dispose()
