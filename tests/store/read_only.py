"""Opens a database with a read-only file mode, without the privileges of root, and prints the error."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.store import opener

NOBODY = 65534


def main(folder: Path) -> None:
    db = folder / "chatd.db"
    asyncio.run(opener.main(str(db)))
    db.chmod(0o444)
    if os.geteuid() == 0:
        for path in (folder, folder / "chatd.db.lock"):
            os.chown(path, NOBODY, -1)
        os.seteuid(NOBODY)
    asyncio.run(opener.main(str(db)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
