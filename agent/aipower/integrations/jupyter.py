"""Jupyter and IPython: `%load_ext aipower.integrations.jupyter`, then `%%aipower` above a cell, or `%aipower`.

    %%aipower --name baseline
    train(model)

The report is printed below the cell, whose last value is shown as ever.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import shlex
from typing import Any, NoReturn

from aipower.errors import AipowerError
from aipower.measuring import Measure, measure

_magic: Any = importlib.import_module("IPython.core.magic")
_errors: Any = importlib.import_module("IPython.core.error")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """A mistake is told in one line.

        Raises:
            UsageError: IPython's, always.
        """
        raise _errors.UsageError(f"%aipower: {message}")


@_magic.magics_class
class AipowerMagics(_magic.Magics):  # type: ignore[misc]
    """The magic `aipower`."""

    @_magic.line_cell_magic  # type: ignore[untyped-decorator]
    def aipower(self, line: str, cell: str | None = None) -> object:
        """Measure the energy of a cell or of one statement; `%aipower --help` tells the options.

        Raises:
            UsageError: IPython's: the options are wrong, or a sensor that was named is not to be had.
        """
        parser = _parser()
        arguments, words = _split(parser, line, with_statement=cell is None)
        if arguments is None:
            print(parser.format_help())
            return None
        m = _measurement(arguments)
        try:
            return self._run(m, cell if cell is not None else words)
        finally:
            self._tell(m, arguments)

    def _run(self, m: Measure, source: str) -> object:
        """The value of the last expression of `source`, as a cell has it."""
        statements, last = _compiled(self.shell, source)
        namespace = self.shell.user_ns
        try:
            m.__enter__()
        except AipowerError as error:
            raise _errors.UsageError(f"%aipower: {error}") from None
        failed: type[BaseException] | None = None
        try:
            exec(statements, namespace)  # noqa: S102 - it is the user's cell
            return eval(last, namespace) if last is not None else None  # noqa: S307 - likewise
        except BaseException as error:
            failed = type(error)
            raise
        finally:
            m.__exit__(failed)

    def _tell(self, m: Measure, arguments: argparse.Namespace) -> None:
        try:
            m.record  # noqa: B018 - asks whether there is one
        except RuntimeError:
            return
        if arguments.out:
            self.shell.user_ns[arguments.out] = m
        if not arguments.quiet:
            print(m.report(verbose=arguments.verbose), end="")


def load_ipython_extension(ipython: Any) -> None:  # noqa: ANN401 - IPython's hook
    """Called by `%load_ext`."""
    ipython.register_magics(AipowerMagics)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("%aipower", add_help=False, description="Measure the energy of a cell, or of one statement.")
    parser.add_argument("-h", "--help", action="store_true", help="these words")
    parser.add_argument("--name", default="", help="a name for the record")
    parser.add_argument("--sensors", default="auto", help="auto, fake, or nvml, rapl (default: auto)")
    parser.add_argument("--interval", type=float, default=0.1, metavar="SECONDS", help="between reads of the sensors")
    parser.add_argument("--sync", choices=("torch", "jax", "cupy"), help="wait for its GPU at both ends")
    parser.add_argument("--out", metavar="VARIABLE", help="keep the measurement in a variable")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing")
    parser.add_argument("-v", "--verbose", action="store_true", help="also how well measurements compare")
    return parser


def _split(
    parser: argparse.ArgumentParser, line: str, *, with_statement: bool
) -> tuple[argparse.Namespace | None, str]:
    """The options, and the statement as it was written; None for a wish for help.

    Raises:
        UsageError: IPython's.
    """
    options, statement = _options_of(parser, line) if with_statement else (line, "")
    try:
        arguments = parser.parse_args(shlex.split(options))
    except ValueError as error:  # a quote that does not end
        raise _errors.UsageError(f"%aipower: {error}") from None
    if arguments.help:
        return None, ""
    if with_statement and not statement:
        raise _errors.UsageError("%aipower: no statement; write %%aipower above a cell")
    return arguments, statement


def _options_of(parser: argparse.ArgumentParser, line: str) -> tuple[str, str]:
    """The options at the begin of `line`, and the rest of it, which is Python."""
    flags = {word for action in parser._actions if action.nargs == 0 for word in action.option_strings}  # noqa: SLF001 - argparse offers no public list
    valued = {word for action in parser._actions if action.nargs != 0 for word in action.option_strings}  # noqa: SLF001 - likewise
    rest = line.lstrip()
    options: list[str] = []
    while True:
        word, _, after = rest.partition(" ")
        if word in flags or (word.partition("=")[0] in valued and "=" in word):
            options.append(word)
        elif word in valued:
            value, _, after = after.lstrip().partition(" ")
            options += [word, value]
        else:
            return " ".join(options), rest
        rest = after.lstrip()


def _measurement(arguments: argparse.Namespace) -> Measure:
    """The measurement that was asked for.

    Raises:
        UsageError: IPython's.
    """
    try:
        return measure(arguments.name, sync=arguments.sync, sensors=arguments.sensors, interval_s=arguments.interval)
    except AipowerError as error:
        raise _errors.UsageError(f"%aipower: {error}") from None


def _compiled(shell: Any, source: str) -> tuple[Any, Any]:  # noqa: ANN401 - IPython's shell, and code objects
    """The statements, and the last of them apart if it is an expression whose value is to be shown."""
    cell = shell.transform_cell(source)
    file = shell.compile.cache(cell)  # so that tracebacks show its lines
    tree = shell.transform_ast(shell.compile.ast_parse(cell, filename=file))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    silent = cell.rstrip().endswith(";")
    if last is not None and silent:
        tree.body.append(last)
    value = shell.compile(ast.Expression(last.value), file, "eval") if last is not None and not silent else None
    return shell.compile(tree, file, "exec"), value
