"""Finds the fields of log lines in chatd's source, by its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

PACKAGE: Final = Path(__file__).parents[2] / "chatd"

_LEVELS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical"})

# `Refusals.add` and its wrappers: every keyword argument is a field.
_COUNTERS: Final = frozenset({"add", "_count"})

# The variable name of loggers in chatd.
_LOGS: Final = frozenset({"log", "_log", "logging"})

# Returns the dictionary of fields that is logged when a listener starts.
_PLACES: Final = "_add"


def logged_fields() -> dict[str, set[str]]:
    """Every field, and the files that log it."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for field in _Module(ast.parse(path.read_text(encoding="utf-8"))).fields():
            found.setdefault(field, set()).add(str(path.relative_to(PACKAGE)))
    return found


class Line(NamedTuple):
    """A logging call; its text is None if it is no constant."""

    file: str
    logger: str
    level: str
    text: str | None


def log_calls() -> list[Line]:
    """Every call on a module's `log` in chatd, except debug lines."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        logger = _logger(path, tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (level := _level(node)) not in (None, "debug"):
                text = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
                found.append(Line(str(path.relative_to(PACKAGE)), logger, str(level), str(text) if text else None))
    return found


def _level(call: ast.Call) -> str | None:
    func = call.func
    if isinstance(func, ast.Attribute) and func.attr in _LEVELS and ast.unparse(func.value).split(".")[-1] in _LOGS:
        return func.attr
    return None


def _logger(path: Path, tree: ast.Module) -> str:
    """The name of the module's logger; if it is imported from the package, that of the package."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=func, args=[ast.Constant(value=str(name))]) if ast.unparse(func) == "logging.getLogger":
                return name
    return f"chatd.{path.parent.name}"


class _Module:
    """Resolves the fields that one module logs, as far as they are dictionary literals in it."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree

    def fields(self) -> Iterator[str]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield from self._of_call(node, node.func)

    def _of_call(self, call: ast.Call, func: ast.Attribute) -> Iterator[str]:
        if func.attr in _LEVELS:
            for keyword in call.keywords:
                if keyword.arg == "extra":
                    yield from self._of_value(keyword.value)
        elif func.attr in _COUNTERS and "refusals" in ast.unparse(func.value):
            for keyword in call.keywords:
                yield from [keyword.arg] if keyword.arg is not None else self._of_value(keyword.value)
        elif func.attr == _PLACES:
            for argument in call.args:
                yield from self._of_value(argument) if isinstance(argument, ast.Dict) else ()

    def _of_value(self, value: ast.expr) -> Iterator[str]:
        """The keys of a dictionary: a literal, a variable, or the result of a function of this module."""
        if isinstance(value, ast.Dict):
            for key, nested in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant):
                    yield str(key.value)
                else:
                    yield from self._of_value(nested)
        elif isinstance(value, ast.Name | ast.Attribute):
            yield from self._of_name(value.id if isinstance(value, ast.Name) else value.attr)
        elif isinstance(value, ast.IfExp):
            yield from self._of_value(value.body)
            yield from self._of_value(value.orelse)

    def _of_name(self, name: str) -> Iterator[str]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Assign) and any(ast.unparse(target) == name for target in node.targets):
                yield from self._of_value(node.value)
            elif isinstance(node, ast.FunctionDef) and node.name == name:
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Dict):
                        yield from self._of_value(inner.value)
