"""Runs cells in a real IPython shell: cells.py CELL... What each has shown is told as JSON."""

# mypy: ignore-errors
# The libraries are not there where types are checked.

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance(colors="NoColor")
shown = []
for cell in sys.argv[1:]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        result = shell.run_cell(cell, store_history=True)
    error = result.error_in_exec or result.error_before_exec
    shown.append({
        "out": out.getvalue(),
        "err": err.getvalue(),
        "result": repr(result.result),
        "error": type(error).__name__ if error else None,
    })  # fmt: skip
print(json.dumps(shown))
