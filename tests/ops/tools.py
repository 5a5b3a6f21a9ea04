"""External programs that a machine may lack. With ALL_TOOLS set, a missing one is a failure and no skip."""

from __future__ import annotations

import os
import shutil

import pytest


def tool(name: str, package: str) -> str:
    """The path of a program of Debian's `package`. With ALL_TOOLS in the environment, as in CI, it must exist."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    if found is None:
        said = f"{name} is not here, so this is NOT TESTED: apt-get install {package}"
        if os.environ.get("ALL_TOOLS"):
            pytest.fail(said)
        pytest.skip(said)
    return found
