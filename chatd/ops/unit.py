"""Units for systemd: the service, and the socket that outlives it. Pure.

Sandboxing is as tight as a process needs that reads a secret, writes one folder and listens.
https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Sandboxing
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

# Beyond the daemon's own time for a stop: to close the database, and to be told apart from a hang.
STOP_SPARE_S: Final = 15

PRIVILEGED_BELOW: Final = 1024


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What the units depend on."""

    command: Sequence[str]
    """How chatd is called: an absolute path first."""
    flags: Sequence[str]
    """Settings beyond those that the unit gives itself."""
    host: str
    port: int
    secret: str
    """The file that only root can read."""
    stop_timeout_s: float
    open_files: int


def service_unit(about: Deployment, *, socket: bool) -> str:
    """`chatd.service`; with `socket`, it goes with `socket_unit`."""
    flags = ["--db", "%S/chatd/chatd.db", "--jwt-secret-file", "%d/jwt-secret"]
    listening = [] if socket else ["--host", about.host, "--port", str(about.port)]
    given = [_escaped(word) for word in (*listening, *about.flags)]
    line = " ".join([*map(_escaped, about.command), "serve", *flags, *given])
    low = not socket and about.port < PRIVILEGED_BELOW
    return SERVICE.format(
        needs="Requires=chatd.socket\nAfter=network.target chatd.socket" if socket else "After=network.target",
        command=line,
        secret=_escaped(about.secret),
        stop_s=round(about.stop_timeout_s + STOP_SPARE_S),
        open_files=about.open_files,
        capabilities="CAP_NET_BIND_SERVICE" if low else "",
        users="no" if low else "yes",
        also="Also=chatd.socket\n" if socket else "",
    )


def socket_unit(about: Deployment) -> str:
    """`chatd.socket`."""
    host = f"[{about.host}]" if ":" in about.host else about.host
    return SOCKET.format(address=f"{host}:{about.port}")


def _escaped(word: str) -> str:
    """A word of a command line in a unit, in which %, $ and quotes mean something."""
    text = word.replace("%", "%%").replace("$", "$$")
    if text and not set(text) & set(" \t\n\"'\\;"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


SERVICE: Final = """\
# /etc/systemd/system/chatd.service, printed by `chatd unit`
[Unit]
Description=chatd, a support-chat daemon
{needs}

[Service]
Type=notify
ExecStart={command}
# Keys, deny list and certificate are read again. LoadCredential= copies once: a new secret needs a restart.
ExecReload=/bin/kill -HUP $MAINPID
LoadCredential=jwt-secret:{secret}

# A wrong command line or configuration (2, 78) does not become right by trying again.
Restart=on-failure
RestartSec=1
RestartPreventExitStatus=2 78
# Fed from the event loop: a daemon that hangs is started again.
WatchdogSec=30
TimeoutStartSec=90
# Longer than the daemon's own stop_timeout, so that it is never killed while it sends clients away.
TimeoutStopSec={stop_s}
LimitNOFILE={open_files}
# A core dump would hold messages and the secret.
LimitCORE=0
# A bound on memory, if this machine has other work: about 30 MiB and 20 KiB for each connection, and room for bursts.
#MemoryMax=1G

# A user of its own that exists while it runs, and one folder that is its own: /var/lib/chatd.
DynamicUser=yes
StateDirectory=chatd
StateDirectoryMode=0700
UMask=0077

NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
AmbientCapabilities={capabilities}
PrivateUsers={users}
PrivateDevices=yes
DevicePolicy=closed
PrivateTmp=yes
PrivateIPC=yes
RemoveIPC=yes
KeyringMode=private
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
{also}"""

SOCKET: Final = """\
# /etc/systemd/system/chatd.socket, printed by `chatd unit --socket`
[Unit]
Description=chatd's socket, which stays open while the daemon is started again

[Socket]
ListenStream={address}
FileDescriptorName=chatd
Backlog=4096
NoDelay=yes

[Install]
WantedBy=sockets.target
"""
