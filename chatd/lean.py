"""Imports that do without a module they could use: resident memory is part of what the daemon promises.

`import` looks in `sys.modules` first: https://docs.python.org/3/reference/import.html#the-module-cache
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType


def absent(name: str) -> AbstractContextManager[None]:
    """Inside, `import name` fails, and importers that can do without go on without."""
    return _replaced(name, None)


def hollow(name: str, *attributes: str) -> AbstractContextManager[None]:
    """Inside, `import name` gives an empty module with `attributes`: enough for importers that only annotate."""
    module = ModuleType(name)
    for attribute in attributes:
        setattr(module, attribute, object)
    return _replaced(name, module)


@contextmanager
def _replaced(name: str, module: ModuleType | None) -> Iterator[None]:
    """Nothing happens if the real module is imported already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = module  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
