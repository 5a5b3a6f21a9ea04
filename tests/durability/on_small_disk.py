"""Mounts a file system of a given size over a folder, and then executes the daemon with the same process id.

Run it in a mount namespace (`unshare -rm`): no other process sees the mount, but /proc/PID/root leads to it.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main(folder: str, size: str, *flags: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    os.execv(sys.executable, [sys.executable, "-m", "chatd", "serve", *flags])


if __name__ == "__main__":
    main(*sys.argv[1:])
