"""Joins JavaScript modules into one, without comments, which were a fifth of what a browser had to load.

Each module becomes a function that is called once, after those that it imports, and returns its exports. This works
for the forms that static/ uses: `import { a, b } from "./x.js";` on one line, `export` before a declaration that is
not reassigned, no cycles. Other forms raise an error here. Only comments on lines of their own are removed. A template
literal of several lines is refused, because its text could look like a comment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_IMPORT: Final = re.compile(r'^import \{ (\w+(?:, \w+)*) \} from "\./([\w.-]+)";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ((?:async )?(?:const|class|function)\b\*? ?(\w+))", re.MULTILINE)
_COMMENT: Final = re.compile(r"^[ \t]*(?://.*|/\*\*[^*]*\*+(?:[^/*][^*]*\*+)*/)\n", re.MULTILINE)
_OTHER_FORM: Final = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_OF_OTHERS: Final = ".min.js"  # minified modules use other forms, and are loaded as they are


def bundled(entry: str, files: Mapping[str, bytes]) -> bytes:
    """The module `entry` joined with all its imports. Raises ValueError."""
    order = _in_order(entry, files)
    apart = [
        found[0] for name in order for found in _IMPORT.finditer(_text(name, files)) if found[2].endswith(_OF_OTHERS)
    ]
    return "\n".join([*dict.fromkeys(apart), *(_called(name, files) for name in order)]).encode()


def kept_apart(entry: str, files: Mapping[str, bytes]) -> list[str]:
    """The modules that are not in the bundle of `entry`: it imports them."""
    imported = (found[2] for name in _in_order(entry, files) for found in _IMPORT.finditer(_text(name, files)))
    return list(dict.fromkeys(name for name in imported if name.endswith(_OF_OTHERS)))


def _in_order(entry: str, files: Mapping[str, bytes]) -> list[str]:
    """`entry` and its imports, each after the modules that it imports."""
    order: dict[str, None] = {}

    def visit(name: str, importers: tuple[str, ...]) -> None:
        if name in importers:
            raise ValueError(f"modules import each other: {' -> '.join([*importers, name])}")
        if name in order or name.endswith(_OF_OTHERS):
            return
        for found in _IMPORT.finditer(_text(name, files)):
            visit(found[2], (*importers, name))
        order[name] = None

    visit(entry, ())
    return list(order)


def _called(name: str, files: Mapping[str, bytes]) -> str:
    text = _text(name, files)
    exported = [found[2] for found in _EXPORT.finditer(text)]
    body = _EXPORT.sub(r"\1", _IMPORT.sub(_take, _COMMENT.sub("", text)))
    if any(line.count("`") % 2 for line in body.splitlines()):
        raise ValueError(f"{name} has a template literal of several lines")
    if (other := _OTHER_FORM.search(body)) is not None:
        raise ValueError(f"{name} has a form that cannot be joined: {other[0]}")
    return f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"


def _take(found: re.Match[str]) -> str:
    names, module = found.groups()
    return "" if module.endswith(_OF_OTHERS) else f"const {{ {names} }} = {_variable(module)};"


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name)


def _text(name: str, files: Mapping[str, bytes]) -> str:
    return files[name].decode()
