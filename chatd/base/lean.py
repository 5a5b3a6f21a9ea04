"""Imports that do without a module they could use: resident memory is part of what the daemon promises.

`import` looks in `sys.modules` first: https://docs.python.org/3/reference/import.html#the-module-cache
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.machinery import PathFinder
from types import ModuleType


def absent(name: str) -> AbstractContextManager[None]:
    """Inside the block `import name` fails, so that importers use their fallback."""
    return _replaced(name, None)


def hollow(name: str, *attributes: str) -> AbstractContextManager[None]:
    """Inside, `import name` gives an empty module with `attributes`: enough for importers that only annotate."""
    module = ModuleType(name)
    for attribute in attributes:
        setattr(module, attribute, type(attribute, (), {}))  # a class of its own: some importers inherit from several
    return _replaced(name, module)


def hollow_package(name: str) -> AbstractContextManager[None]:
    """Inside, modules of the package `name` are imported without the package's own code."""
    package = ModuleType(name)
    found = PathFinder.find_spec(name)
    package.__path__ = list(found.submodule_search_locations or ()) if found is not None else []
    return _replaced(name, package)


def import_digests() -> None:
    """Let `hashlib` and `hmac` have Python's own digests instead of OpenSSL's, which are 3.6 MB.

    A connection needs one of them, twice: for its token and its handshake. Nothing happens for a Python that was built
    without its own.
    """
    if any(PathFinder.find_spec(name) or name in sys.builtin_module_names for name in ("_sha2", "_sha256")):
        with absent("_hashlib"):
            importlib.import_module("hmac")
            importlib.import_module("hashlib")


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
