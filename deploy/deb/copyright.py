"""Prints the copyright file of the Debian package: `python3 copyright.py FOLDER-OF-BUNDLED-PACKAGES`."""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackagePath, distributions
from pathlib import Path

OWN = "aipower"
APACHE = "Apache-2.0"
HEADER = f"""\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: {OWN}
Comment: The packages below are bundled in /usr/lib/aipower as published on PyPI.

Files: *
Copyright: aipower developers
License: {APACHE}
"""
FOOTER = f"""\
License: {APACHE}
 The full text is in /usr/share/common-licenses/{APACHE}.
"""


def main(folder: str) -> None:
    """All of the file.

    Raises:
        SystemExit: A package tells its licence nowhere.
    """
    bundled = sorted(distributions(path=[folder]), key=lambda each: each.name.lower())
    print(HEADER)
    for distribution in bundled:
        if distribution.name != OWN:
            print(stanza(distribution))
    print(FOOTER)


def stanza(distribution: Distribution) -> str:
    """The paragraph of one package: its files, whose they are, and the licence in its own words."""
    text = in_files(distribution, "LICEN") or in_comments(distribution)
    if not text:
        raise SystemExit(f"{distribution.name} {distribution.version} has no licence text to copy")
    files = "\n ".join(f"usr/lib/aipower/{top}" for top in tops(distribution))
    name = licence_name(distribution)
    lines = [f"Files: {files}", f"Copyright: {holders(text)}"]
    if APACHE in name:
        notice = in_files(distribution, "NOTICE")
        lines += [f"License: {APACHE}", *([f"Comment:\n{indented(notice)}"] if notice else [])]
    else:
        lines += [f"License: {name}~{distribution.name}\n{indented(text)}"]
    return "\n".join(lines) + "\n"


def in_files(distribution: Distribution, start: str) -> str:
    """The texts of the files among its metadata whose names begin with `start`; "" without one."""
    found = (file for file in there(distribution) if ".dist-info" in str(file) and file.name.startswith(start))
    return "\n".join(file.read_text() for file in found)


def in_comments(distribution: Distribution) -> str:
    """The comment at the top of the first module that has a copyright in it; "" without one."""
    for file in there(distribution):
        if file.suffix == ".py":
            comment = re.match(r"(?:#.*\n)+", file.read_text())
            if comment and "Copyright" in comment[0]:
                return re.sub(r"^#+ ?", "", comment[0], flags=re.MULTILINE)
    return ""


def there(distribution: Distribution) -> list[PackagePath]:
    """Its files as it recorded them, less those that the package leaves out."""
    return [file for file in distribution.files or () if Path(str(file.locate())).exists()]


def tops(distribution: Distribution) -> list[str]:
    """Its modules and packages, as patterns."""
    names = {file.parts[0] for file in there(distribution)}
    return sorted(name if name.endswith((".py", ".so")) else f"{name}/*" for name in names)


def licence_name(distribution: Distribution) -> str:
    """As its metadata has it: `MIT`, `BSD-3-Clause`."""
    metadata = distribution.metadata
    named = next((metadata[key] for key in ("License-Expression", "License") if key in metadata), "unnamed")
    return str(named).replace(" ", "-")


def holders(text: str) -> str:
    """Whoever the licence text names after the word copyright and a year or (c)."""
    found = re.findall(r"^\W*Copyright\b[ :]*(?:\([cC©]\)|©)? *(\d.*|[A-Z].*)$", text, re.MULTILINE)
    return "\n ".join(line.strip() for line in found) or "its contributors"


def indented(text: str) -> str:
    """`text` as a field of several lines: empty lines are dots."""
    return "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in text.strip().splitlines())


if __name__ == "__main__":
    main(sys.argv[1])
