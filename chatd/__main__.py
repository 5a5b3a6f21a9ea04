"""`python -m chatd`: the same as the `chatd` command."""

from __future__ import annotations

import sys

from chatd.cli import main

if __name__ == "__main__":
    sys.exit(main())
