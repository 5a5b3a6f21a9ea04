"""`python -m tests.ops.left_to FD NAME COMMAND...`: run the command with socket FD passed as systemd does.

Uses exec, so that the process id stays the same: LISTEN_PID must be that of the command.
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
