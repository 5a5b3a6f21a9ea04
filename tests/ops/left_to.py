"""`python -m tests.ops.left_to FD NAME COMMAND...`: the command, with a listening socket left to it by systemd.

Exec keeps the process, and so its number.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    given, name, *command = sys.argv[1:]
    os.dup2(int(given), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=name)
    os.execv(command[0], command)
